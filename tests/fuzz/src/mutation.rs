//! Changes a corpus at random, where there is no cargo-fuzz, and in `cargo test`.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::{MOST, Target};

/// Numbers at which readers err: ends of ranges, and lengths of what is often in them.
const NUMBERS: [u64; 14] =
    [0, 1, 4, 18, 19, 23, 127, 128, 255, 0x7fff, 0xffff, 0xff_ffff, 0x7fff_ffff, u64::MAX];

/// One change of an input.
#[derive(Clone, Debug)]
struct Change {
    what: What,
    /// Where, and how much of it or from where.
    place: prop::sample::Index,
    other: prop::sample::Index,
    byte: u8,
}

#[derive(Clone, Copy, Debug)]
enum What {
    FlipBit,
    SetByte,
    Number,
    Insert,
    Remove,
    Repeat,
    End,
    /// A part of another file of the corpus.
    Borrow,
    SwapLines,
}

fn change() -> impl Strategy<Value = Change> {
    use What::{Borrow, End, FlipBit, Insert, Number, Remove, Repeat, SetByte, SwapLines};
    let what = prop::sample::select(vec![
        FlipBit, SetByte, SetByte, Number, Number, Insert, Remove, Repeat, End, Borrow, SwapLines,
    ]);
    let place = any::<prop::sample::Index>();
    (what, place.clone(), place, any::<u8>()).prop_map(|(what, place, other, byte)| Change {
        what,
        place,
        other,
        byte,
    })
}

impl Change {
    fn apply(&self, input: &mut Vec<u8>, lender: &[u8]) {
        let at = self.place.index(input.len() + 1);
        let count = self.other.index(32.min(input.len() - at + 1));
        match self.what {
            What::FlipBit if at < input.len() => input[at] ^= 1 << (self.byte & 7),
            What::SetByte if at < input.len() => input[at] = self.byte,
            What::Number => {
                let number = NUMBERS[self.other.index(NUMBERS.len())].to_le_bytes();
                let width = [1, 2, 3, 4, 8][usize::from(self.byte) % 5].min(input.len() - at);
                input[at..at + width].copy_from_slice(&number[..width]);
            }
            What::Insert => drop(input.splice(at..at, std::iter::repeat_n(self.byte, 1 + count))),
            What::Remove => drop(input.drain(at..at + count)),
            What::Repeat => {
                let part = input[at..at + count].to_vec();
                for _ in 0..=self.byte % 8 {
                    input.splice(at..at, part.iter().copied());
                }
            }
            What::End => input.truncate(at),
            What::Borrow => {
                let from = self.other.index(lender.len() + 1);
                let until = lender.len().min(from + 16 * (1 + usize::from(self.byte)));
                input.splice(at..at, lender[from..until].iter().copied());
            }
            What::SwapLines => {
                let mut lines: Vec<_> = input.split(|byte| *byte == b'\n').collect();
                let (one, two) = (self.place.index(lines.len()), self.other.index(lines.len()));
                lines.swap(one, two);
                *input = lines.join(&b'\n');
            }
            What::FlipBit | What::SetByte => {}
        }
        input.truncate(MOST);
    }
}

/// Feeds `target` with `cases` inputs made of its corpus, or with as many as `limit` allows; returns how many.
///
/// # Errors
/// The smallest input found that it does not stand, and what it said.
pub fn run(target: Target, seed: u64, cases: u32, limit: Duration) -> Result<u32, (Vec<u8>, String)> {
    const AT_ONCE: u32 = 200;
    let corpus: Vec<Vec<u8>> = target.corpus().into_iter().map(|(_, bytes)| bytes).collect();
    assert!(!corpus.is_empty(), "{} has no corpus", target.name);
    let (started, mut done) = (Instant::now(), 0);
    while done < cases && started.elapsed() < limit {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..12].copy_from_slice(&done.to_le_bytes());
        let config =
            Config { cases: AT_ONCE.min(cases - done), failure_persistence: None, ..Config::default() };
        let count = config.cases;
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let file = any::<prop::sample::Index>();
        let made = |(one, two, changes): &(prop::sample::Index, prop::sample::Index, Vec<Change>)| {
            let (mut input, lender) =
                (corpus[one.index(corpus.len())].clone(), &corpus[two.index(corpus.len())]);
            for change in changes {
                change.apply(&mut input, lender);
            }
            input
        };
        let result = runner.run(&(file.clone(), file.clone(), vec(change(), 1..8)), |case| {
            target.read(&made(&case));
            Ok(())
        });
        match result {
            Ok(()) => done += count,
            Err(TestError::Fail(reason, case)) => return Err((made(&case), reason.message().into())),
            Err(TestError::Abort(reason)) => panic!("{reason}"),
        }
    }
    Ok(done)
}
