"""Masks: equal customers stay equal, and nobody can be found without the key."""

import pandas as pd
import pytest
from builders import CONFIG, made

from crmlib import privacy, tables
from crmlib.errors import ConfigError


def test_a_mask_is_the_keyed_hash_that_anyone_with_the_key_can_repeat():
    # printf 'C\0000123' | openssl dgst -sha256 -hmac public
    import hashlib
    import hmac

    outside = hmac.new(b"public", b"C\x00000123", hashlib.sha256).hexdigest()[:16]
    assert privacy.mask("000123", b"public") == f"C-{outside}"


def test_masked_tables_still_join_and_nothing_stays_in_clear():
    ids = pd.Series(["000123", None, "000123", "123"], dtype="str")
    shown = privacy.masked(ids, b"key")
    assert shown[0] == shown[2] != shown[3]
    assert pd.isna(shown[1])
    assert not shown.dropna().isin(ids.dropna()).any()


def test_a_name_and_a_number_that_read_alike_have_different_masks():
    table = pd.DataFrame({"customer_id": ["7"], "name": ["7"], "contact": ["7"], "raw": ["7"], "city": ["7"]})
    shown = privacy.masked_table(table, tables.CUSTOMERS, b"key")
    assert list(shown.columns) == ["customer_id", "name", "contact", "city"]
    assert [value[:2] for value in shown.iloc[0][:3]] == ["C-", "N-", "T-"]
    assert len({value[2:] for value in shown.iloc[0][:3]}) == 3
    assert shown["city"][0] == "7"
    assert table["name"][0] == "7"


def test_a_key_is_made_once_and_read_by_nobody_else(acme):
    first = privacy.key(acme)
    path = acme.folder / ".key"
    assert len(first) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    assert privacy.key(acme) == first


def test_two_firms_mask_the_same_customer_differently(home):
    one, two = made(home, name="one"), made(home, name="two")
    assert privacy.mask("c1", privacy.key(one)) != privacy.mask("c1", privacy.key(two))


def test_an_empty_key_is_refused_because_it_protects_nobody(home):
    firm = made(home)
    (firm.folder / ".key").write_text("")
    with pytest.raises(ConfigError, match=r"The key in data/acme/.key has fewer than 16 characters."):
        privacy.key(firm)


def test_a_key_from_the_environment_leaves_no_file(home, monkeypatch):
    firm = made(home, name="acme-north")
    monkeypatch.setenv("CRM_KEY_ACME_NORTH", "a key from outside")
    assert privacy.key(firm) == b"a key from outside"
    assert not (firm.folder / ".key").exists()


def test_only_a_key_meant_to_be_public_stands_in_the_file(home):
    firm = made(home, CONFIG + "privacy: {public_key: everyone}\n")
    assert privacy.key(firm) == b"everyone"
    assert not (firm.folder / ".key").exists()
