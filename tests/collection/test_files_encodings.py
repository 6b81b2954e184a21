"""Rows 1–8 and 17 of the catalogue: whatever encoding a file came in, its text is the same or is refused."""

import codecs

import pytest
from readings import aside, numbers, records, refusal, repairs

from crmlib.collection import encodings
from crmlib.collection.files import text_table

TEXT = "客户,城市\r\n㐀𠮷商行,广州市\r\nNA,None\r\n"
TWIN = [["㐀𠮷商行", "广州市"], ["NA", "None"]]


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        (codecs.BOM_UTF8 + TEXT.encode(), [("encoding", "UTF-8 with mark")]),
        (codecs.BOM_UTF8 + ('"客户",城市' + TEXT[5:]).encode(), [("encoding", "UTF-8 with mark")]),
        (TEXT.encode("utf-16"), [("encoding", "UTF-16 with mark")]),
        (TEXT.encode("utf-16-le"), [("encoding", "UTF-16")]),
        (TEXT.encode("utf-16-be"), [("encoding", "UTF-16")]),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), [("encoding", "UTF-32 with mark")]),
        (TEXT.encode("gb18030"), [("encoding", "GB18030")]),
        (TEXT.encode(), []),
    ],
)
def test_a_file_in_another_encoding_equals_its_utf8_twin(file, content, notes):
    found = text_table(file(content), expected={"客户"})
    assert found.headers == ["客户", "城市"]
    assert records(found) == TWIN
    assert found.notes == notes


def test_excels_unicode_text_with_tabs_equals_its_plain_twin(file):
    found = text_table(file(TEXT.replace(",", "\t").encode("utf-16")), expected={"客户"})
    assert (found.form, records(found)) == ("UTF-16, tab", TWIN)
    assert found.notes == [("encoding", "UTF-16 with mark"), ("delimiter", "tab")]


def test_utf8_that_happens_to_be_gb18030_too_stays_utf8(file):
    text = "客户\n张三李四\n王五\n"  # even numbers of bytes: GB18030 reads 寮犱笁鏉庡洓 without complaint
    assert text.encode().decode("gb18030").splitlines()[1] == "寮犱笁鏉庡洓"
    assert records(text_table(file(text), expected={"客户"})) == [["张三李四"], ["王五"]]


def test_a_line_in_gb18030_among_utf8_is_read_and_written_down(file):
    lines = "客户,城市\n张三,北京\n".encode() + "李四,上海\n".encode("gb18030") + "王五,广州\n".encode()
    found = text_table(file(lines), expected={"客户"})
    assert records(found) == [["张三", "北京"], ["李四", "上海"], ["王五", "广州"]]
    old = r"\xc0\xee\xcb\xc4,\xc9\xcf\xba\xa3"
    assert repairs(found) == [(3, "", old, "李四,上海", "read-as-gb18030")]
    assert found.notes == [("mixed-encodings", "UTF-8")]


def test_a_line_in_utf8_among_gb18030_is_read_and_written_down(file):
    head = "客户,城市\n张三,北京\n赵六,杭州\n".encode("gb18030")
    found = text_table(file(head + "李四,上海\n".encode()), expected={"客户"})
    assert records(found) == [["张三", "北京"], ["赵六", "杭州"], ["李四", "上海"]]
    assert [repair[3:] for repair in repairs(found)] == [("李四,上海", "read-as-utf-8")]


def test_a_line_in_no_encoding_is_set_aside_with_its_bytes(file):
    content = "客户,城市\n张三,北京\n".encode() + b"c9,Orl\xe9ans\xff\n" + "王五,广州\n".encode()
    found = text_table(file(content), expected={"客户"})
    assert records(found) == [["张三", "北京"], ["王五", "广州"]]
    assert aside(found) == [(3, "undecodable", r"c9,Orl\xe9ans\xff")]
    assert numbers(found) == [2, 4]


def test_western_letters_are_never_taken_for_rare_chinese_characters(file):
    content = "customer,city\n" + "".join(f"c{n},Orléans\n" for n in range(5))
    assert refusal(file(content.encode("latin-1")), expected={"customer"}) == (
        "f.csv is not text in UTF-8 or GB18030: 5 of its 6 lines cannot be read as either, line 2 first. "
        "Save it as UTF-8, or say `encoding` in client.yml."
    )


def test_a_stated_encoding_is_the_only_one_tried(file):
    path = file("客户,城市\n张三,北京\n李四,x\n".encode("gb18030"))
    assert records(text_table(path, expected={"客户"}, encoding="gb18030"))[0] == ["张三", "北京"]
    mixed = file("客户,城市\n".encode() + "李四,上海\n".encode("gb18030") + b"c1,x\n")
    found = text_table(mixed, expected={"客户"}, encoding="utf-8")
    assert records(found) == [["c1", "x"]]
    assert [row[:2] for row in aside(found)] == [(2, "undecodable")]


def test_characters_cut_by_the_end_of_a_block_are_whole(file, monkeypatch):
    monkeypatch.setattr(encodings, "BLOCK", 7)
    for encoding in ("utf-8", "gb18030", "utf-16", "utf-8-sig"):
        found = text_table(file(TEXT.encode(encoding)), expected={"客户"})
        assert (records(found), numbers(found)) == (TWIN, [2, 3])
    mixed = "客户,城市\n张三,北京\n".encode() + "李四,上海\n".encode("gb18030")
    found = text_table(file(mixed), expected={"客户"})
    assert records(found) == [["张三", "北京"], ["李四", "上海"]]
    assert repairs(found)[0][0] == 3


def test_control_characters_are_taken_out_and_written_down(file):
    found = text_table(file("id,note\nA1,a\x00b\nA2,\x0bc\nA3,tab\tstays\n"), expected={"id"})
    assert records(found) == [["A1", "ab"], ["A2", "c"], ["A3", "tab\tstays"]]
    assert repairs(found) == [
        (2, "note", r"a\x00b", "ab", "control-characters"),
        (3, "note", r"\x0bc", "c", "control-characters"),
    ]


def test_a_utf16_file_cut_in_the_middle_of_a_character_is_refused(file):
    said = refusal(file(TEXT.encode("utf-16")[:-1]), expected={"客户"})
    assert said.startswith("f.csv is not text in UTF-16, as it begins")


@pytest.mark.parametrize("content", [b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, b"\n \n", b"\x00\x00"])
def test_an_empty_file_is_refused_whatever_its_mark(file, content):
    assert refusal(file(content)) == "f.csv is empty. Ask for the file again."


def test_a_header_alone_is_a_table_without_rows(file):
    found = text_table(file("order,day\r\n"), expected={"order"})
    assert (found.headers, records(found), found.records, aside(found)) == (["order", "day"], [], 0, [])


def test_a_file_that_changes_while_it_is_read_is_refused(file):
    path = file("order,day\n" + "A1,2024-10-01\n" * 1000)
    found = text_table(path, expected={"order"})
    path.write_text("order,day\n" + "A2,2024-10-01\n" * 1000)
    with pytest.raises(Exception, match="changed while it was read") as refused:
        list(found.batches())
    assert str(refused.value) == (
        "f.csv changed while it was read. Wait until it has been written whole, then run again."
    )
