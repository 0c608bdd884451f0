use super::*;

#[test]
fn a_line_names_place_and_rows_and_no_statement() {
    let table = |name: &str, inserted, deleted, is_exact| Table {
        database: "app".into(),
        name: name.into(),
        inserted,
        deleted,
        is_exact,
        ..Table::default()
    };
    let mut transaction = Transaction {
        time: 1_795_882_800,
        server_id: 1,
        gtid: Some("0-1-7".into()),
        file: "binlog.000002".into(),
        begin: 385,
        tables: vec![table("orders", 3, 1, true), table("stock", 0, 0, false)],
        statements: vec![difference::Statement { database: "app".into(), text: "INSERT secret".into() }],
        ..Transaction::default()
    };
    assert_eq!(
        Line(&transaction).to_string(),
        "written 2026-11-28T16:20:00Z by server 1, 0-1-7, at binlog.000002:385 there; app.orders: 3 inserted, 1 \
         deleted; app.stock: and more; 1 statement"
    );
    (transaction.gtid, transaction.tables, transaction.tables_left_out) = (None, vec![], 2);
    transaction.statements_left_out = 6;
    assert_eq!(
        Line(&transaction).to_string(),
        "written 2026-11-28T16:20:00Z by server 1, at binlog.000002:385 there; and 2 more tables; 7 statements"
    );
}
