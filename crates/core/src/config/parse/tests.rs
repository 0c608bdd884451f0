use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::print::print;
use super::*;

/// A document on one line, for tables: `key=value`, `@include`, `[kind name: key=value …]`.
fn sketch(document: &Document) -> String {
    let variable = |v: &Variable| format!("{}={}", v.key.escape_ascii(), v.value.escape_ascii());
    let item = |item: &Item| match item {
        Item::Variable(v) => variable(v),
        Item::Include { name, .. } => format!("@{}", name.escape_ascii()),
        Item::Section(section) => {
            let variables: Vec<_> = section.variables.iter().map(variable).collect();
            format!("[{}: {}]", section.start_tag("").trim_matches(['<', '>']), variables.join(" "))
        }
    };
    document.items.iter().map(item).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_kind_of_line_is_told_from_the_others() {
    let table: &[(&[u8], &str)] = &[
        (b"", ""),
        (b" \t\r\x0b\x0c", ""),
        (b"# this db1", ""),
        (b" \t# include x", ""),
        (b"this db1", "this=db1"),
        (b"\t this \t db1 \t", "this=db1"),
        (b"this\x0b\x0cdb1", "this=db1"),
        (b"This DB1", "This=DB1"),
        (b"a b # c", "a=b # c"),
        (b"a \"b c\"", "a=\\\"b c\\\""),
        (b"a = b", "a== b"),
        (b"this ", "this="),
        (b"this\r", "this="),
        (b"password p\xe4ss", "password=p\\xe4ss"),
        (b"password\xa0x y", "password\\xa0x=y"),
        (b"include x.conf", "@x.conf"),
        (b"  include\t../a/b.conf  ", "@../a/b.conf"),
        (b"include x # c", "include=x # c"),
        (b"include ", "include="),
        (b"Include x", "Include=x"),
        (b"includes x", "includes=x"),
        (b"<host a/>", "[host a: ]"),
        (b"< host  a />", "[host a: ]"),
        (b"<monitor/>", "[monitor: ]"),
        (b"<host db1.example.com> ", "<host=db1.example.com>"),
        (b"<host a> # c", "<host=a> # c"),
        (b"<host a></host>", "<host=a></host>"),
        (b"</host a>", "</host=a>"),
        (b"< / host >", "<=/ host >"),
        (b"<host a b>", "<host=a b>"),
        (b"<host \xe4>", "<host=\\xe4>"),
    ];
    for (line, expected) in table {
        let parsed = parse(line);
        assert_eq!(sketch(&parsed.document), *expected, "{}", line.escape_ascii());
        assert_eq!(parsed.fault, None, "{}", line.escape_ascii());
    }
}

#[test]
fn one_word_is_no_line_of_the_language() {
    for line in ["this", "this=db1", "include", "<>", "</>", "<host", "host>", "</ho.st>", "<host/", "\u{e4}"]
    {
        let parsed = parse(format!("\n{line}\nthis db1\n").as_bytes());
        assert_eq!(parsed.fault, Some((2, Fault::InvalidLine)), "{line}");
        assert_eq!(parsed.document, Document::default(), "{line}: nothing above it");
    }
}

#[test]
fn sections_hold_what_stands_between_their_tags() {
    let table = [
        ("<host a>\nip 1\n</host>\nthis a", "[host a: ip=1] this=a"),
        ("< host  a >\nip 1\n</ host >", "[host a: ip=1]"),
        ("<host a>\n</role>\nthis a", "[host a: ] this=a"),
        ("this a\n</host>\nthis b\nfoo", "this=a"),
        ("<monitor>\nip 1", "[monitor: ip=1]"),
        ("<a_B-9 Z_-0>\n</x>", "[a_B-9 Z_-0: ]"),
    ];
    for (text, expected) in table {
        let parsed = parse(text.as_bytes());
        assert_eq!(sketch(&parsed.document), expected, "{text}");
        assert_eq!(parsed.fault, None, "{text}");
    }
}

#[test]
fn a_section_holds_neither_sections_nor_includes() {
    let nested = |kind: &str| Fault::NestedSection { kind: kind.into(), open: "host".into(), since: 1 };
    let table = [
        ("<host a>\nip 1\n<host b>\nip 2\n</host>", nested("host")),
        ("<host a>\nip 1\n<role b/>\n", nested("role")),
        ("<host a>\nip 1\ninclude x\n</host>", Fault::NestedInclude),
        ("<host a>\nip 1\nip\n</host>", Fault::InvalidLine),
    ];
    for (text, fault) in table {
        let parsed = parse(text.as_bytes());
        assert_eq!(parsed.fault, Some((3, fault)), "{text}");
        assert_eq!(sketch(&parsed.document), "[host a: ip=1]", "{text}: what stands above counts");
    }
}

#[test]
fn every_item_knows_its_line() {
    let parsed = parse(b"# c\n\nthis a\r\n<host a>\n\nip 1\n</host>\ninclude x");
    let [Item::Variable(this), Item::Section(host), Item::Include { line: 8, .. }] =
        &parsed.document.items[..]
    else {
        panic!("{parsed:?}")
    };
    assert_eq!((this.line, host.line, host.variables[0].line), (3, 4, 6));
}

#[test]
fn a_byte_order_mark_is_a_fault_of_its_own() {
    for text in ["\u{feff}", "\u{feff}# c\n", "\u{feff}this db1\n", "\u{feff} this db1\n"] {
        assert_eq!(parse(text.as_bytes()).fault, Some((1, Fault::ByteOrderMark)), "{text}");
    }
    assert_eq!(parse("# c\nthis \u{feff}db1\n".as_bytes()).fault, None);
}

#[test]
fn carriage_returns_alone_end_no_line() {
    let parsed = parse(b"this db1\rdebug 0\r");
    assert_eq!(sketch(&parsed.document), "this=db1\\rdebug 0");
    assert_eq!(parsed.quirks, [(1, Quirk::CarriageReturn)]);
    assert_eq!(parse(b"# c\rthis db1\r").quirks, [(1, Quirk::CarriageReturn)]);
}

/// Lines that are close to the language, so that random text reaches every branch.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "<", ">", "/", "</", "/>", "host", "role", "monitor", "include", "this", "ips", "a", "db-1", " ",
        "  ", "\t", "\n", "\n", "\n", "\r", "\r\n", "\x0b", "\x0c", "#", "=", ",", "\"", "'", "\u{feff}",
        "\u{a0}", "\0", ".",
    ]);
    vec(pieces, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

/// A tree such as [`parse`] can make: every line after the last, every section that ends before the next.
fn documents() -> impl Strategy<Value = Document> {
    let key = "[a-z_]{1,8}|[A-Z$%&=,.;]{1,4}|é|<|</|include|this".prop_map(String::into_bytes);
    let value = vec(any::<u8>(), 0..12)
        .prop_map(|bytes| trimmed(&bytes).iter().copied().filter(|&byte| byte != b'\n').collect::<Vec<u8>>())
        .prop_map(|bytes| trimmed(&bytes).to_vec());
    let variable = (key, value).prop_filter("reads as another kind of line", |(key, value)| {
        matches!(classify(&[key, &b" "[..], value].concat()), Line::Variable { .. })
    });
    let section = ("[A-Za-z0-9_-]{1,6}", option::of("[A-Za-z0-9_-]{1,6}"), vec(variable.clone(), 0..4));
    let item = prop_oneof![
        variable.prop_map(|(key, value)| Item::Variable(Variable { line: 0, key, value })),
        "[a-zé./<>]{1,8}".prop_map(|name| Item::Include { line: 0, name: name.into_bytes() }),
        section.prop_map(|(kind, name, variables)| {
            let variables =
                variables.into_iter().map(|(key, value)| Variable { line: 0, key, value }).collect();
            Item::Section(Section { line: 0, kind, name, variables })
        }),
    ];
    vec((item, 1..4_usize), 0..12).prop_map(|items| {
        let mut line = 0;
        let mut next = |gap| {
            line += gap;
            line
        };
        let items = items.into_iter().map(|(mut item, gap)| {
            match &mut item {
                Item::Variable(variable) => variable.line = next(gap),
                Item::Include { line, .. } => *line = next(gap),
                Item::Section(section) => {
                    section.line = next(gap);
                    section.variables.iter_mut().for_each(|variable| variable.line = next(gap));
                    if !section.variables.is_empty() {
                        next(1);
                    }
                }
            }
            item
        });
        Document { items: items.collect() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(text in vec(any::<u8>(), 0..2000)) {
        parse(&text);
    }

    #[test]
    fn what_is_parsed_and_printed_is_parsed_the_same(text in prop_oneof![lines(), vec(any::<u8>(), 0..200)]) {
        let document = parse(&text).document;
        let printed = print(&document);
        let again = parse(&printed);
        prop_assert_eq!(&again.document, &document, "{}", printed.escape_ascii());
        prop_assert_eq!(again.fault, None);
        prop_assert_eq!(print(&again.document), printed);
    }

    #[test]
    fn any_tree_survives_being_printed(document in documents()) {
        let printed = print(&document);
        let parsed = parse(&printed);
        prop_assert_eq!(parsed.document, document, "{}", printed.escape_ascii());
        prop_assert_eq!(parsed.fault, None);
    }
}
