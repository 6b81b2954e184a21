"""`client.yml`: what a firm says of itself, and the one sentence it gets where it errs."""

import pytest
from builders import CONFIG, made

from crmlib import client as clients
from crmlib import rules
from crmlib.errors import ConfigError


def refusal(home, config: str) -> str:
    with pytest.raises(ConfigError) as refused:
        made(home, config)
    return str(refused.value)


def test_a_client_says_what_differs_and_the_rest_is_usual(acme, home):
    assert (acme.name, acme.currency, acme.decimals) == ("Acme", "CNY", 2)
    assert (acme.timezone, acme.languages, acme.unit, acme.abnormal) == ("UTC", ["en"], "quarter", "flag")
    assert acme.tables.transactions.zero_price == "gift"
    assert acme.tables.transactions.exact_duplicates == "merge"
    assert acme.classes.behaviour.active_days == 90
    assert acme.raw == home / "data" / "acme" / "raw"
    assert list(acme.tables.named()) == ["transactions"]


def test_clients_are_those_with_a_client_yml(home):
    made(home, name="b-firm")
    made(home, name="a-firm")
    (home / "data" / "leftover").mkdir()
    assert clients.listed() == ["a-firm", "b-firm"]


def test_an_unknown_client_is_answered_with_the_known_ones(home):
    made(home, name="acme")
    made(home, name="demo")
    with pytest.raises(ConfigError) as refused:
        clients.load("acne")
    assert str(refused.value) == (
        "No client 'acne': data/acne/client.yml does not exist. Clients: acme, demo. "
        "Did you mean acme? Make one with: crm new acne FILE"
    )


def test_an_unknown_client_in_an_empty_workbook_is_told_how_to_make_one(home):
    with pytest.raises(ConfigError) as refused:
        clients.load("acme")
    assert str(refused.value) == (
        "No client 'acme': data/acme/client.yml does not exist. Clients: none yet. "
        "Make one with: crm new acme FILE"
    )


@pytest.mark.parametrize(
    "name", ["../demo", "Demo", "", "con", "a/b", "客户", "-a", "demo\n", "a" * 65, None]
)
def test_a_client_whose_name_is_no_folder_everywhere_is_refused(home, name):
    with pytest.raises(ConfigError) as refused:
        clients.load(name)
    assert str(refused.value) == (
        f"Client {name!r} is not a usable name. Use small letters, digits and hyphens, as in acme-north."
    )


def test_a_misspelt_key_is_named_with_its_line_and_the_key_that_was_meant(home):
    assert refusal(home, CONFIG.replace("decimals: 2", "decimal: 2")) == (
        "data/acme/client.yml, line 3: decimal is not a known key; did you mean decimals?"
    )


def test_a_key_that_resembles_none_is_answered_with_all_that_may_stand_there(home):
    assert refusal(home, CONFIG + "    zzz: 1\n") == (
        "data/acme/client.yml, line 10: tables.transactions.zzz is not a known key; known here: "
        "columns, database, date_format, day_first, decimal, delimiter, encoding, exact_duplicates, files, "
        "header_row, query, returns, sheet, sql, zero_price."
    )


def test_a_value_that_cannot_be_is_quoted_with_what_would_do(home):
    assert refusal(home, CONFIG + "unit: week\n") == (
        "data/acme/client.yml, line 10: unit: input should be 'year', 'quarter' or 'month', found 'week'."
    )


def test_a_time_zone_that_is_none_is_refused(home):
    assert refusal(home, CONFIG + "timezone: Mars/Olympus\n") == (
        "data/acme/client.yml, line 10: timezone: not a known time zone; write one like Asia/Shanghai, "
        "found 'Mars/Olympus'."
    )


def test_a_language_that_is_none_is_refused(home):
    assert refusal(home, CONFIG + "languages: [en, klingonese]\n") == (
        "data/acme/client.yml, line 10: languages.1: not a known language; write a code like en or zh, "
        "found 'klingonese'."
    )


def test_a_language_without_a_catalogue_is_refused_with_those_there_are(home):
    assert refusal(home, CONFIG + "languages: [en, fr]\n") == (
        "data/acme/client.yml, line 10: languages.1: no catalogue of this language is here; there are en, zh, "
        "found 'fr'."
    )


def test_a_language_named_twice_is_refused(home):
    assert "languages: zh stands here more than once" in refusal(home, CONFIG + "languages: [zh, zh]\n")


@pytest.mark.parametrize(
    ("written", "known"), [("zh_CN", "zh-CN"), ("zh-Hans", "zh-Hans"), ("en-GB", "en-GB")]
)
def test_a_language_may_be_written_with_its_territory_or_script(home, written, known):
    assert made(home, CONFIG + f"languages: [{written}]\n").languages == [known]


def test_a_client_without_order_lines_is_told_what_is_missing(home):
    config = "name: Acme\ncurrency: CNY\ntables:\n  customers:\n    files: [a.csv]\n    columns: {customer_id: id}\n"
    assert refusal(home, config) == (
        "data/acme/client.yml, line 3: tables: one of transactions, snapshot or tiers is needed."
    )


def test_a_client_without_a_currency_is_told_what_is_missing(home):
    config = CONFIG.replace("currency: CNY\n", "")
    assert refusal(home, config) == "data/acme/client.yml: currency is missing; add it."


def test_two_mistakes_are_said_at_once(home):
    config = CONFIG.replace("currency: CNY", "currency: yuan") + "units: year\n"
    assert refusal(home, config) == (
        "data/acme/client.yml, line 2: currency: string should match pattern '^[A-Z]{3}$', found 'yuan'.\n"
        "data/acme/client.yml, line 10: units is not a known key; did you mean unit?"
    )


def test_cuts_out_of_order_are_refused_where_they_stand(home):
    config = CONFIG + "classes:\n  value:\n    spend: {high: 100, medium: 200}\n"
    assert refusal(home, config) == (
        "data/acme/client.yml, line 12: classes.value.spend: medium (200) must lie below high (100)."
    )


def test_shares_out_of_order_are_refused(home):
    config = CONFIG + "classes:\n  abc:\n    shares: {first: 0.9, second: 0.8}\n"
    assert refusal(home, config) == (
        "data/acme/client.yml, line 12: classes.abc.shares: first (0.9) must lie below second (0.8)."
    )


def test_a_limit_of_silence_below_that_of_activity_is_refused(home):
    config = CONFIG + "classes:\n  behaviour: {active_days: 200}\n"
    assert refusal(home, config) == (
        "data/acme/client.yml, line 11: classes.behaviour: active_… must lie below dormant_…."
    )


def test_weights_that_decide_nothing_are_refused(home):
    config = CONFIG + "classes:\n  tier:\n    weights: {frequency: 0, spend: 0, loyalty: 0, lifetime: 0}\n"
    assert refusal(home, config) == (
        "data/acme/client.yml, line 12: classes.tier.weights: all weights are 0, so nothing would decide the tier."
    )


@pytest.mark.parametrize("number", [".nan", ".inf", "-1"])
def test_a_weight_that_is_no_number_is_refused(home, number):
    config = CONFIG + f"classes:\n  tier:\n    weights: {{spend: {number}}}\n"
    assert refusal(home, config).startswith(
        "data/acme/client.yml, line 12: classes.tier.weights.spend: input should be "
    )


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("classes.scorecard.loyalty.brand", "scorecard:\n    loyalty: {brand: much}"),
        ("classes.scorecard.satisfaction.product", "scorecard:\n    satisfaction: {product: .nan}"),
        ("classes.potential.signs", "potential:\n    signs: many"),
        ("classes.need.price_index", "need:\n    price_index: .inf"),
    ],
)
def test_a_number_that_is_none_names_its_key_and_line(home, key, content):
    said = refusal(home, CONFIG + f"classes:\n  {content}\n")
    assert said.startswith(f"data/acme/client.yml, line 12: {key}: input should be ")


def test_a_scorecard_of_satisfaction_alone_is_refused(home):
    config = CONFIG + "classes:\n  scorecard:\n    loyalty: {product: 0, service: 0, brand: 0}\n"
    assert refusal(home, config) == (
        "data/acme/client.yml, line 11: classes.scorecard: all weights of loyalty are 0; a scorecard joins "
        "satisfaction and loyalty."
    )


@pytest.mark.parametrize("name", ["''", "' '", "'a,b'"])
def test_a_tag_without_a_name_is_refused_where_it_stands(home, name):
    config = CONFIG + f"classes:\n  tags:\n    {name}: {{column: orders, at_least: 1}}\n"
    said = refusal(home, config)
    assert said.startswith("data/acme/client.yml, line 12: classes.tags")
    assert said.endswith(": a tag needs a name without commas.")


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("{column: orders}", "orders is a number: give at_least, at_most or both"),
        ("{column: tier, at_least: 1}", "tier is text: give equals"),
        ("{column: orders, equals: '5'}", "orders is a number: give at_least, at_most or both"),
        ("{column: orders, at_least: 5, at_most: 4}", "at_least (5) must not lie above at_most (4)"),
    ],
)
def test_a_tag_whose_condition_cannot_be_asked_is_refused(home, rule, what):
    config = CONFIG + f"classes:\n  tags:\n    odd: {rule}\n"
    assert refusal(home, config) == f"data/acme/client.yml, line 12: classes.tags.odd: {what}."


def test_a_tag_on_a_column_that_is_not_there_is_told_which_there_are(home):
    config = CONFIG + "classes:\n  tags:\n    odd: {column: shoe_size, at_least: 1}\n"
    said = refusal(home, config)
    assert said.startswith(
        "data/acme/client.yml, line 12: classes.tags.odd: no column shoe_size; known here: abc, "
    )


def test_a_class_without_a_name_is_refused_and_so_is_a_name_without_a_class(home):
    config = CONFIG + "classes:\n  words: {champion: '  '}\n"
    assert refusal(home, config) == (
        "data/acme/client.yml, line 11: classes.words.champion: a class needs a name, found '  '."
    )
    config = CONFIG + "classes:\n  words: {champoin: Star}\n"
    assert refusal(home, config) == (
        "data/acme/client.yml, line 11: classes.words.champoin: no class champoin; did you mean champion?, "
        "found 'Star'."
    )


def test_a_client_calls_its_classes_as_it_likes(home):
    from crmlib.findings import Book

    client = made(home, CONFIG + "classes:\n  words: {champion: 明星客户}\n")
    shown = Book("03-classification", client).language
    assert [shown.show(word, "word") for word in ("champion", "loyal")] == ["明星客户", "Loyal"]
    assert shown.text("{names:words}", names=["champion", "lost"]) == "明星客户, Lost"


def test_a_clients_own_tags_take_the_place_of_the_usual_ones(home):
    config = CONFIG + "classes:\n  tags:\n    大户: {column: net, at_least: 50000}\n"
    assert list(made(home, config).classes.tags) == ["大户"]


def test_a_scale_upside_down_is_refused(home):
    config = CONFIG + (
        "  surveys:\n    files: [s.csv]\n    columns: {customer_id: who, answered_day: on}\n"
        "    answers:\n      product: {column: p, scale: [5, 1]}\n"
    )
    assert refusal(home, config) == (
        "data/acme/client.yml, line 14: tables.surveys.answers.product: "
        "the scale's first end must lie below its second."
    )


def test_a_file_that_is_no_yaml_is_refused_with_its_line(home):
    assert refusal(home, "name: Acme\ncurrency: [CNY\ntables: {}\n").startswith(
        "data/acme/client.yml, line 3: not valid YAML: "
    )


def test_a_key_written_twice_is_refused_with_its_line(home):
    said = refusal(home, CONFIG + "name: Other\n")
    assert said.startswith('data/acme/client.yml, line 10: not valid YAML: found duplicate key "name"')


@pytest.mark.parametrize("config", ["", "# nothing yet\n", "- a\n- b\n", "just words\n"])
def test_a_file_without_keys_is_refused(home, config):
    assert refusal(home, config) == (
        "data/acme/client.yml is empty or not a list of keys. See data/demo/client.yml for a model."
    )


def test_a_file_in_another_encoding_is_refused(home):
    folder = home / "data" / "acme"
    folder.mkdir()
    (folder / "client.yml").write_bytes("name: 江岸".encode("gb18030"))
    with pytest.raises(ConfigError) as refused:
        clients.load("acme")
    assert str(refused.value) == "data/acme/client.yml is not UTF-8 text (byte 6). Save it as UTF-8."


def test_settings_cannot_be_changed_after_loading(acme):
    with pytest.raises(ValueError, match="frozen"):
        acme.settings.currency = "USD"


def test_what_is_not_said_of_the_previous_standards_is_as_today(home):
    config = CONFIG + (
        "classes:\n  tier: {cuts: {high: 2.4, medium: 1.2}}\n  abc: {at_least: 7}\n"
        "classes_before:\n  tier: {cuts: {high: 2.75, medium: 1.5}}\n"
    )
    client = made(home, config)
    then = rules.earlier(client.classes_before, client.classes)
    assert (then.tier.cuts.high, then.abc.at_least) == (2.75, 7)
    assert rules.earlier(None, client.classes) is client.classes


def test_cuts_of_the_previous_period_may_be_taken_away_but_not_stand_out_of_order(home):
    given = "classes:\n  value: {spend: {high: 10, medium: 5}, shares: {first: 0.6, second: 0.7}}\n"
    client = made(home, CONFIG + given + "classes_before:\n  value: {spend: null}\n")
    assert rules.earlier(client.classes_before, client.classes).value.spend is None
    with pytest.raises(ConfigError) as told:
        made(home, CONFIG + given + "classes_before:\n  value: {shares: {second: 0.55}}\n")
    assert str(told.value) == (
        "data/acme/client.yml: classes_before with what classes adds: value.shares: first (0.6) must lie below "
        "second (0.55)."
    )


@pytest.mark.parametrize(
    ("charts", "said"),
    [
        ("map: {file: /etc/x.json, property: n}", "charts.map.file: must lie in the client's own folder"),
        ("map: {file: ../x.geojson, property: n}", "charts.map.file: must lie in the client's own folder"),
        ("map: {file: 'C:\\x.json', property: n}", "charts.map.file: must lie in the client's own folder"),
        ("map: {file: x.shp, property: n}", "charts.map.file: must be a GeoJSON file (.geojson or .json)"),
        ("map: {file: x.json}", "charts.map.property is missing; add it."),
        ("attribute: name", "charts.attribute: input should be 'customer_type', 'industry'"),
        ("sorted_by: beauty", "charts.sorted_by: input should be 'group', 'customers', 'net'"),
        ("order: random", "charts.order: input should be 'descending' or 'ascending', found 'random'."),
        ("compare: city", "charts.compare: input should be 'tier', 'value'"),
    ],
)
def test_charts_that_cannot_be_drawn_are_refused_where_they_are_asked_for(home, charts, said):
    assert said in refusal(home, CONFIG + f"charts:\n  {charts}\n")


def test_a_reader_may_ask_for_another_order_than_the_client(home):
    client = made(home, CONFIG + "charts: {attribute: region, sorted_by: customers}\n")
    asked = client.charts.asked(attribute="", sorted_by="recency_days", order="ascending")
    assert (asked.attribute, asked.sorted_by, asked.order) == ("region", "recency_days", "ascending")
    with pytest.raises(ConfigError) as refused:
        client.charts.asked(sorted_by="beauty")
    assert str(refused.value).startswith("sorted_by 'beauty' cannot be charted. Input should be 'group'")
