use super::super::sample::look;
use super::*;

#[test]
fn the_line_has_word_text_and_data() {
    assert_eq!(
        line(&look(|_| ())),
        "MMM OK - a failover would work, seen from db3: 3 hosts, 38 checks|hosts=3 answering=3 failures=0 \
         warnings=0 time=0.310s lag_db1=0s;8 lag_db2=0s;8 lag_db3=0s;8\n"
    );
    let doubtful = line(&look(|cluster| cluster.quirks.push("a|b".into())));
    assert!(doubtful.starts_with("MMM WARNING - probably a mistake: a/b [config-quirk]|hosts=3 "));
}
