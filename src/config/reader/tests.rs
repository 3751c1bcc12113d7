use super::*;
use std::collections::BTreeMap;

/// Reads `text` and gives the answer with each mistake as `line:column message`.
fn read<T>(text: &str, read: impl FnOnce(&mut Reader<'_>) -> T) -> (Option<T>, Vec<String>) {
    let mistakes = Mistakes::default();
    let answer = Document::new("x.toml", text).read(&mistakes, read);
    let told = |errors: crate::config::ConfigErrors| {
        let place = |m: &crate::config::Mistake| m.position.map_or("-".into(), |p| format!("{}:{}", p.line, p.column));
        errors.mistakes().iter().map(|m| format!("{} {}", place(m), m.message)).collect()
    };
    (answer, mistakes.none_or(()).err().map(told).unwrap_or_default())
}

#[test]
fn a_number_is_accepted_at_both_ends_of_its_range_and_refused_past_them() {
    for (text, answer) in [("a = 5", Some(5)), ("a = 9", Some(9)), ("a = 0x9", Some(9)), ("a = 1_0", None), ("a = 4", None)] {
        let (number, mistakes) = read(text, |reader| reader.u64("a", 5..=9));
        assert_eq!(number, Some(answer), "{text}");
        assert_eq!(mistakes.len(), usize::from(answer.is_none()), "{mistakes:?}");
    }
    for text in ["a = -5", "a = 99999999999999999999", "a = 5.0", "a = \"5\"", "a = true"] {
        let (_, mistakes) = read(text, |reader| reader.u64("a", 5..=9));
        assert_eq!(mistakes.len(), 1, "{text}: {mistakes:?}");
    }
}

#[test]
fn one_look_finds_every_mistake_with_its_place() {
    let text = "b = 3\nextra = 1\n[s]\nc = \"maybe\"\nl = [\"x\", 2, \"x\"]\nother = 1\n";
    let (_, mistakes) = read(text, |reader| {
        reader.require(&["a"]);
        reader.bool("b");
        reader.section("s", |s| {
            s.require(&["d"]);
            s.choice("c", &[("yes", 1), ("no", 2)]);
            s.texts("l", "names", |_| Ok(()));
        });
    });
    let expected = [
        "1:1 `a` is missing",
        "1:5 `b` is a whole number, true or false is needed",
        "2:1 `extra` is not a key here",
        "3:1 `s.d` is missing",
        "4:5 `s.c`: `maybe` is not one of the words it may be",
        "5:11 `s.l` is a whole number, a text is needed",
        "5:14 `s.l` names `x` twice",
        "6:1 `s.other` is not a key here",
    ];
    assert_eq!(mistakes, expected);
}

#[test]
fn an_absent_section_gives_defaults_and_misses_nothing() {
    let (answer, mistakes) = read("", |reader| reader.section("s", |s| (s.require(&["a"]), s.u64("a", 0..=1).unwrap_or(1)).1));
    assert_eq!((answer, mistakes.len()), (Some(1), 0));
    let (_, mistakes) = read("s = 3", |reader| reader.section("s", |s| s.u64("a", 0..=1)));
    assert_eq!(mistakes, ["1:5 `s` is a whole number, a table is needed"]);
}

#[test]
fn lists_maps_and_texts_are_refused_one_past_their_cap() {
    let list = |count: usize| format!("l = [{}]", (0..count).map(|n| format!("\"{n}\",")).collect::<String>());
    let map = |count: usize| (0..count).fold("[m]\n".to_owned(), |text, n| text + &format!("k{n} = \"\"\n"));
    for (extra, wrong) in [(0, 0), (1, 1)] {
        let (_, mistakes) = read(&list(ENTRIES_MAX + extra), |r| r.texts("l", "", |_| Ok(())));
        assert_eq!(mistakes.len(), wrong, "{mistakes:?}");
        let (_, mistakes) = read(&map(ENTRIES_MAX + extra), |r| r.text_map("m", "", |_| Ok(())));
        assert_eq!(mistakes.len(), wrong, "{mistakes:?}");
        let (_, mistakes) = read(&format!("t = \"{}\"", "x".repeat(TEXT_BYTES_MAX + extra)), |r| r.text("t"));
        assert_eq!(mistakes.len(), wrong, "{mistakes:?}");
    }
}

#[test]
fn what_this_version_lacks_is_refused_by_name() {
    let (_, mistakes) = read("x = 1\n[egress]\nresolver = []\n", |reader| {
        reader.u64("x", 0..=1);
        reader.refuse("egress", "not in this version", "remove it");
        reader.refuse("secrets", "not in this version", "remove it");
    });
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(mistakes[0].starts_with("2:"), "{mistakes:?}");
}

#[test]
fn tables_that_come_more_than_once_are_read_in_order_and_their_mistakes_placed() {
    let text = "[[t]]\na = 1\n[[t]]\n[[t]]\na = 9\nb = 1\n";
    let (answer, mistakes) = read(text, |reader| reader.tables("t", 3, |t| (t.require(&["a"]), t.u64("a", 1..=2)).1));
    assert_eq!(answer, Some(Some(vec![Some(1), None, None])));
    assert_eq!(mistakes, ["3:1 `t.a` is missing", "5:5 `t.a` is 9, which is outside 1 to 2", "6:1 `t.b` is not a key here"]);
    let (answer, mistakes) = read(text, |reader| reader.tables("t", 2, |_| ()));
    assert_eq!((answer, mistakes), (Some(None), vec!["1:3 `t` has 3 entries".to_owned()]));
    let (_, mistakes) = read("t = [1]\n[u]\n", |reader| (reader.tables("t", 2, |_| ()), reader.tables("u", 2, |_| ())));
    assert_eq!(mistakes, ["1:6 `t` is a whole number, a table is needed", "2:1 `u` is a table, a list is needed"]);
}

#[test]
fn tables_by_name_are_read_under_their_names() {
    let text = "[m.a]\nn = 1\n[m.\"b c\"]\n[m.d]\nx = 1\n";
    let plain = |name: &str| if name.contains(' ') { Err("has a space".to_owned()) } else { Ok(()) };
    let (answer, mistakes) = read(text, |reader| reader.table_map("m", "no spaces", plain, |t| t.u64("n", 0..=1)));
    assert_eq!(answer, Some(BTreeMap::from([("a".to_owned(), Some(1)), ("d".to_owned(), None)])));
    assert_eq!(mistakes, ["3:4 `m.b c`: has a space", "5:1 `m.d.x` is not a key here"]);
}

#[test]
fn numbers_in_a_list_are_in_range_and_different() {
    let numbers = |text: &str| read(text, |reader| reader.numbers("l", 1..=9));
    assert_eq!(numbers("l = [1, 9]"), (Some(Some(vec![1, 9])), vec![]));
    for bad in ["l = [0]", "l = [10]", "l = [1, 1]", "l = [\"1\"]", "l = [-1]", "l = [99999999]", "l = 1"] {
        assert_eq!(numbers(bad).1.len(), 1, "{bad}");
    }
}

#[test]
fn a_mend_of_its_own_is_told_instead_of_the_general_one_and_a_place_can_be_kept() {
    let mistakes = Mistakes::default();
    Document::new("x.toml", "a = \"b\"\n\nc = 1\n").read(&mistakes, |reader| {
        reader.checked("a", "general", |_| Err::<(), _>(Wrong { message: "no".into(), mend: Some("its own".into()) }));
        let place = reader.place("c");
        reader.u64("c", 0..=1);
        reader.note_in(&place, "later", "mend");
    });
    let errors = mistakes.none_or(()).expect_err("two");
    let told: Vec<_> = errors.mistakes().iter().map(|m| (m.position.map_or(0, |p| p.line), m.mend.as_str())).collect();
    assert_eq!(told, [(1, "its own"), (3, "mend")]);
}

#[test]
fn a_long_text_and_a_section_that_may_be_absent() {
    for (extra, wrong) in [(0, 0), (1, 1)] {
        let (_, mistakes) = read(&format!("t = \"{}\"", "x".repeat(5000 + extra)), |r| r.long_text("t", 5000));
        assert_eq!(mistakes.len(), wrong, "{mistakes:?}");
    }
    let (answer, mistakes) = read("", |r| r.optional_section("s", |s| s.require(&["a"])));
    assert_eq!((answer, mistakes.len()), (Some(None), 0));
    let (answer, mistakes) = read("[s]\n", |r| r.optional_section("s", |s| s.require(&["a"])));
    assert_eq!((answer, mistakes), (Some(Some(())), vec!["1:1 `s.a` is missing".to_owned()]));
}

#[test]
fn any_value_is_read_as_json_and_what_json_lacks_is_told_with_its_place() {
    let value = |text: &str| read(&format!("v = {text}"), |r| r.json("v"));
    let right = [
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("0x1F", "31"),
        ("1_000.5", "1000.5"),
        ("1e3", "1000.0"),
        ("'a\"b'", r#""a\"b""#),
        ("[[], {a.b = 1, \"c d\" = false}]", r#"[[],{"a":{"b":1},"c d":false}]"#),
    ];
    for (text, json) in right {
        assert_eq!(value(text), (Some(serde_json::from_str(json).ok()), vec![]), "{text}");
    }
    for bad in ["18446744073709551616", "-9223372036854775809", "inf", "-inf", "nan", "1e999", "1979-05-27", "[[07:32:00]]"] {
        let (_, mistakes) = value(bad);
        assert_eq!(mistakes.len(), 1, "{bad}: {mistakes:?}");
    }
    let (_, mistakes) = value("[nan, {b = [1979-05-27T07:32:00Z]}]");
    assert_eq!(mistakes, ["1:6 `v` has a number that JSON does not have", "1:17 `v.b` has a date, and JSON has none"]);
    assert_eq!(read("", |r| r.json("v")), (Some(None), vec![]));
}

#[test]
fn a_text_of_json_is_one_value_of_at_most_its_bytes() {
    let text = |text: &str| read(&format!("v = '{text}'"), |r| r.json_text("v", 10));
    assert_eq!(text(" {\"a\":1} "), (Some(Some(serde_json::json!({"a": 1}))), vec![]));
    for bad in ["", "1 2", "{a:1}", "1234567890.", "12345678901", "undefined"] {
        assert_eq!(text(bad).1.len(), 1, "{bad}");
    }
    assert!(text("1234567890").1.is_empty());
    assert_eq!(read("v = 1", |r| r.json_text("v", 10)).1.len(), 1);
}

#[test]
fn one_text_may_stand_for_a_list_of_one() {
    let texts = |text: &str| {
        read(text, |r| r.one_or_list("l", "short ones", |text| if text.len() < 3 { Ok(text.len()) } else { Err("long".to_owned()) }))
    };
    assert_eq!(texts("l = 'a'"), (Some(Some(vec![1])), vec![]));
    assert_eq!(texts("l = ['a', 'bb']"), (Some(Some(vec![1, 2])), vec![]));
    assert_eq!(texts(""), (Some(None), vec![]));
    for bad in ["l = 'abc'", "l = 1", "l = [1]", "l = {}", "l = ['a', 'b']"] {
        assert_eq!(texts(bad).1.len(), 1, "{bad}");
    }
}

#[test]
fn words_of_a_closed_list_stand_under_names_that_are_right() {
    let text = "[m]\na = 'yes'\nb = 'maybe'\nc = 1\n\"d e\" = 'no'\n";
    let plain = |name: &str| if name.contains(' ') { Err("has a space".to_owned()) } else { Ok(()) };
    let (answer, mistakes) = read(text, |r| r.choice_map("m", "no spaces", plain, &[("yes", 1), ("no", 2)]));
    assert_eq!(answer, Some(BTreeMap::from([("a".to_owned(), 1)])));
    let expected = [
        "3:5 `m.b`: `maybe` is not one of the words it may be",
        "4:5 `m.c` is a whole number, a text is needed",
        "5:1 `m.d e`: has a space",
    ];
    assert_eq!(mistakes, expected);
}
