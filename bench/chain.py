"""Collection and cleaning of one client, and what they cost: CPU seconds and the most memory held."""

import json
import resource
import sys
import time

from crmlib import client as clients
from crmlib.cleaning import delivery as cleaning
from crmlib.collection import sources

if __name__ == "__main__":
    began = time.process_time()
    who = clients.load(sys.argv[1])
    delivery = sources.delivery(who)
    sources.write(who, delivery)
    collected = time.process_time()
    delivery = sources.as_collected(who)
    found = cleaning.cleaned(delivery, who, delivered_on=sources.delivered_on(who))
    written = cleaning.write(found, delivery, who)
    cleaned = time.process_time()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        json.dumps(
            {"collection": collected - began, "cleaning": cleaned - collected, "bytes": most, "rows": written}
        )
    )
