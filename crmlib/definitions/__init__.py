"""Every measure the workbook can print: id, unit, label, formula, source. Found by id in `crmlib.measures`."""

from crmlib.definitions.changes import CHANGES
from crmlib.definitions.churn import CHURN
from crmlib.definitions.classes import CLASSES
from crmlib.definitions.delivery import DELIVERY
from crmlib.definitions.finance import FINANCE
from crmlib.definitions.market import MARKET
from crmlib.definitions.measure import UNITS, Measure
from crmlib.definitions.preferences import PREFERENCES
from crmlib.definitions.relations import RELATIONS
from crmlib.definitions.sales import SALES
from crmlib.definitions.surveys import SURVEYS
from crmlib.definitions.value import VALUE

ALL = [
    *DELIVERY,
    *CHANGES,
    *SALES,
    *CLASSES,
    *SURVEYS,
    *FINANCE,
    *MARKET,
    *VALUE,
    *CHURN,
    *PREFERENCES,
    *RELATIONS,
]

__all__ = ["ALL", "UNITS", "Measure"]
