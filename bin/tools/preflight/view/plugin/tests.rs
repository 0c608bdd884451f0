use std::time::Duration;

use super::super::super::checks;
use super::*;

#[test]
fn the_line_has_word_text_and_data() {
    let shown = |cluster| {
        let checks = checks::all(&cluster);
        line(&Report::new(&cluster, checks, Duration::from_millis(310)))
    };
    assert_eq!(
        shown(checks::good("db3")),
        "MMM OK - a failover would work, seen from db3: 3 hosts, 36 checks|hosts=3 answering=3 failures=0 \
         warnings=0 time=0.310s lag_db1=0s;8 lag_db2=0s;8 lag_db3=0s;8\n"
    );
    let mut cluster = checks::good("db3");
    cluster.quirks.push("a|b".into());
    assert!(shown(cluster).starts_with("MMM WARNING - probably a mistake: a/b [config-quirk]|hosts=3 "));
}
