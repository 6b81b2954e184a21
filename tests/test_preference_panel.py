"""The panel of notebook 09: nothing until something moves, then the same as without a screen."""

from crmlib.workbook import preference_panel


def test_a_panel_computes_nothing_before_somebody_moves_something(acme, monkeypatch):
    monkeypatch.setattr(preference_panel, "looked", lambda *_, **__: 1 / 0)
    box = preference_panel.panel("acme", "2024-Q4")
    sliders, out = box.children
    assert [slider.description for slider in sliders.children] == ["Least support", "Steps ahead"]
    assert out.value == ""


def test_moving_a_slider_shows_what_the_twin_without_a_screen_says(acme, monkeypatch):
    asked = []

    class Told:
        html = "<table></table>"

    def looked(*place, **settings):
        asked.append((*place, settings))
        return Told

    monkeypatch.setattr(preference_panel, "looked", looked)
    sliders, out = preference_panel.panel("acme", "2024-Q4").children
    sliders.children[1].value = 6
    assert asked == [("acme", "2024-Q4", {"support": 0.01, "ahead": 6})]
    assert out.value == Told.html


def test_without_clean_tables_the_panel_says_what_to_run_first(acme):
    sliders, out = preference_panel.panel("acme", "2024-Q4").children
    sliders.children[0].value = 0.05
    assert "02-cleaning" in out.value
