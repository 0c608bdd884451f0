use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::*;

/// A `TABLE_MAP` event's body: table 7, `app`.`t`, of columns with their details.
fn table_map(columns: &[(u8, &[u8])]) -> Vec<u8> {
    let mut body = vec![7, 0, 0, 0, 0, 0, 1, 0, 3];
    body.extend(b"app\0\x01t\0");
    body.push(u8::try_from(columns.len()).unwrap());
    body.extend(columns.iter().map(|(kind, _)| *kind));
    let details: Vec<u8> = columns.iter().flat_map(|(_, details)| details.to_vec()).collect();
    body.push(u8::try_from(details.len()).unwrap());
    body.extend(details);
    // Which may be NULL.
    body.push(0xff);
    body
}

/// The body of rows of that table, after its number and flags.
fn rows(parts: &[&[u8]]) -> Vec<u8> {
    [&[7, 0, 0, 0, 0, 0, 1, 0], &parts.concat()[..]].concat()
}

fn counted(columns: &[(u8, &[u8])], kind: u8, parts: &[&[u8]]) -> Option<u64> {
    let map = Map::read(&table_map(columns)).unwrap();
    assert_eq!((map.id, map.database.as_str(), map.table.as_str()), (7, "app", "t"));
    count(kind, &rows(parts), &map)
}

#[test]
fn a_value_is_as_long_as_its_column_says() {
    let table: &[(u8, &[u8], &[u8])] = &[
        (1, &[], &[1]),
        (2, &[], &[1; 2]),
        (9, &[], &[1; 3]),
        (3, &[], &[1; 4]),
        (8, &[], &[1; 8]),
        (4, &[4], &[1; 4]),
        (5, &[8], &[1; 8]),
        (13, &[], &[1]),
        (10, &[], &[1; 3]),
        (11, &[], &[1; 3]),
        (12, &[], &[1; 8]),
        (7, &[], &[1; 4]),
        // Fractions of seconds, of no digit to six of them.
        (17, &[0], &[1; 4]),
        (17, &[3], &[1; 6]),
        (18, &[6], &[1; 8]),
        (19, &[1], &[1; 4]),
        // DECIMAL(10,2), DECIMAL(30,10), DECIMAL(9,9)
        (246, &[10, 2], &[1; 5]),
        (246, &[30, 10], &[1; 14]),
        (246, &[9, 9], &[1; 4]),
        // VARCHAR of 255 bytes and of 256.
        (15, &[255, 0], &[2, 1, 1]),
        (15, &[0, 1], &[2, 0, 1, 1]),
        // CHAR of 255 bytes, of 765 (its length's upper bits lie in the type), BINARY.
        (254, &[254, 255], &[2, 1, 1]),
        (254, &[0xfe ^ 0x20, 0xfd], &[2, 0, 1, 1]),
        (254, &[254, 0], &[0]),
        // ENUM, SET, BIT(1), BIT(8), BIT(10)
        (254, &[247, 2], &[1, 1]),
        (254, &[248, 8], &[1; 8]),
        (16, &[1, 0], &[1]),
        (16, &[0, 1], &[1]),
        (16, &[2, 1], &[1; 2]),
        // Lengths of one byte to four.
        (252, &[1], &[2, 1, 1]),
        (252, &[2], &[2, 0, 1, 1]),
        (252, &[3], &[2, 0, 0, 1, 1]),
        (252, &[4], &[2, 0, 0, 0, 1, 1]),
        (245, &[4], &[1, 0, 0, 0, 9]),
        (255, &[4], &[1, 0, 0, 0, 9]),
        (242, &[4], &[1, 0, 0, 0, 9]),
        // MariaDB's packed columns.
        (140, &[2], &[2, 0, 1, 1]),
        (141, &[255, 0], &[2, 1, 1]),
    ];
    for (kind, details, value) in table {
        // A column of one byte after it shows that it ended where it should.
        let columns: &[(u8, &[u8])] = &[(*kind, details), (1, &[])];
        let row = [&[0], *value, &[7]].concat();
        for (number, parts) in [(1, [&row[..]].as_slice()), (3, &[&row, &[1, 7], &row])] {
            let parts = [&[&[2, 3][..]], parts].concat();
            assert_eq!(counted(columns, 23, &parts), Some(number), "{kind} {details:?}");
        }
        assert_eq!(counted(columns, 23, &[&[2, 3], &row[..row.len() - 1]]), None, "{kind} {details:?}");
    }
}

#[test]
fn rows_are_counted_in_each_kind_of_event() {
    let columns: &[(u8, &[u8])] = &[(3, &[]), (15, &[30, 0]), (245, &[4])];
    let (id, name, json) = (&[1, 0, 0, 0][..], &[2, b'a', b'b'][..], &[2, 0, 0, 0, 9, 9][..]);
    let whole = [&[0], id, name, json].concat();
    let all = &[3, 7][..];
    let extra = &[2, 0][..];
    let long_extra = &[5, 0, 1, 2, 3][..];
    // Before, only the key; afterwards, only the name: binlog_row_image=MINIMAL.
    let minimal = [&[0], id, &[0], name].concat();
    // Whole, then with the document told in parts.
    let partial = [&whole, &[0][..], &whole].concat();
    let in_parts = [&whole, &[1, 1, 0][..], id, name, json].concat();
    let table: &[(u8, &[&[u8]], u64)] = &[
        (23, &[all, &whole, &whole], 2),
        (30, &[extra, all, &whole, &whole, &whole], 3),
        (30, &[long_extra, all, &whole], 1),
        (25, &[all, &whole], 1),
        (32, &[extra, all, &whole, &whole], 2),
        (24, &[&[3, 7, 7], &whole, &whole, &whole, &whole], 2),
        (31, &[extra, &[3, 7, 7], &whole, &whole], 1),
        (31, &[extra, &[3, 1, 2], &minimal, &minimal, &minimal], 3),
        (39, &[extra, &[3, 7, 7], &partial, &in_parts], 2),
        (23, &[all], 0),
    ];
    for (kind, parts, number) in table {
        assert_eq!(counted(columns, *kind, parts), Some(*number), "{kind} {parts:?}");
    }
    // Three columns where the table has two: another table of the same number.
    assert_eq!(counted(&columns[..2], 23, &[all, &whole]), None);
    // A type that is not known.
    assert_eq!(counted(&[(200, &[])], 23, &[&[1, 1], &[0, 1]]), None);
}

#[test]
fn what_mariadb_packed_is_counted_too() {
    let columns: &[(u8, &[u8])] = &[(3, &[])];
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&[0, 1, 0, 0, 0].repeat(100)).unwrap();
    let packed = packed.finish().unwrap();
    let head = |length: [u8; 2]| [&[0x82][..], &length].concat();
    assert_eq!(counted(columns, 166, &[&[1, 1], &head([1, 244]), &packed]), Some(100));
    assert_eq!(counted(columns, 169, &[&[2, 0], &[1, 1], &head([1, 244]), &packed]), Some(100));
    assert_eq!(counted(columns, 167, &[&[1, 1, 1], &head([1, 244]), &packed]), Some(50));
    for (length, packed) in [([1, 245], &packed[..]), ([1, 244], &packed[..20]), ([1, 244], &[])] {
        assert_eq!(counted(columns, 168, &[&[1, 1], &head(length), packed]), None, "{length:?}");
    }
}

#[test]
fn no_bytes_of_a_server_are_believed() {
    let map = table_map(&[(3, &[]), (15, &[30, 0])]);
    let whole = Map::read(&map).unwrap();
    let body = rows(&[&[2, 3], &[0, 1, 0, 0, 0, 1, b'a']]);
    assert_eq!(count(23, &body, &whole), Some(1));
    for end in 0..map.len() {
        if let Some(part) = Map::read(&map[..end]) {
            count(23, &body, &part);
        }
    }
    for end in 0..body.len() {
        count(23, &body[..end], &whole);
        count(31, &body[..end], &whole);
    }
    let huge = rows(&[&[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]);
    assert_eq!(count(23, &huge, &whole), None);
    // Rows without any column, told by the event or by the table.
    assert_eq!(count(23, &rows(&[&[2, 0], &[1, 1]]), &whole), None);
    assert_eq!(counted(&[], 23, &[&[0], &[1]]), None);
    assert_eq!(count(23, &rows(&[&[2, 0xfc], &[1, 1]]), &whole), None);
}

#[test]
fn more_columns_than_a_table_can_have_are_not_counted() {
    let table = |count: u16| {
        let mut body = vec![7, 0, 0, 0, 0, 0, 1, 0, 3];
        body.extend(b"app\0\x01t\0\xfc");
        body.extend(count.to_le_bytes());
        body.resize(body.len() + usize::from(count), column::TINY);
        body.push(0);
        Map::read(&body).unwrap()
    };
    assert_eq!(table(4096).widths.map(|widths| widths.len()), Some(4096));
    assert_eq!(table(4097).widths, None);
}
