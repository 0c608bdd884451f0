use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mmm_journal-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn lines(file: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let keep = |line: &str| {
        lines.push(line.to_string());
        io::Result::Ok(())
    };
    each_line(file, keep).unwrap();
    lines
}

#[test]
fn rotated_files_come_oldest_first_and_nothing_else_comes() {
    let folder = Folder::new("rotated");
    let day = |day: u32| format!("2026-11-{day:02}T00:00:00.000Z check_ip[1] INFO  text\n");
    let journal = folder.file("m.log", ("cut off\n".to_string() + &day(9)).as_bytes());
    folder.file("m.log.1", day(8).as_bytes());
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(day(7).as_bytes()).unwrap();
    let packed = folder.file("m.log.2.gz", &packed.finish().unwrap());
    folder.file("m.log-20261106", day(6).as_bytes());
    for name in ["m.log.bak", "m.log.", "m.log2", "other.log.1", "m.log.1.gz.tmp"] {
        folder.file(name, day(1).as_bytes());
    }
    let names = || -> Vec<String> {
        let name = |file: PathBuf| file.file_name().unwrap().to_str().unwrap().to_string();
        find(&journal).unwrap().into_iter().map(name).collect()
    };
    assert_eq!(names(), ["m.log-20261106", "m.log.2.gz", "m.log.1", "m.log"]);
    assert_eq!(lines(&packed), [day(7).trim_end()]);
    fs::remove_file(&journal).unwrap();
    assert_eq!(names().len(), 3);
}

#[test]
fn a_journal_that_is_not_there_is_an_error() {
    let folder = Folder::new("missing");
    assert_eq!(find(&folder.0.join("m.log")).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_line_without_end_is_cut_and_the_next_one_is_whole() {
    let folder = Folder::new("long");
    let mut text = vec![b'x'; 300_000];
    text.extend(b"\nsecond\n\xff\xfe\nlast");
    let file = folder.file("m.log", &text);
    let lines = lines(&file);
    assert_eq!(lines[0].len() as u64, LONGEST_LINE);
    assert_eq!(lines[1..], ["second", "\u{fffd}\u{fffd}", "last"]);
}
