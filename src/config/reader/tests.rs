use super::*;

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
