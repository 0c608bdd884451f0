//! Replaces the crate of this name for the MySQL client library, with its engine of the same authors.
//!
//! For each process that connects, the library compiles two expressions with `\d`, to read the version in a server's
//! greeting once. With all of Unicode's digits and every engine, that was half of what a short call computes. And a
//! greeting with such digits made the library panic. Here `\d` is an ASCII digit, and one engine serves.

/// Expressions that search bytes.
pub mod bytes {
    use std::fmt;

    use regex_automata::nfa::thompson::{self, pikevm::PikeVM};
    use regex_automata::util::captures;
    use regex_automata::util::syntax;

    /// A compiled expression.
    pub struct Regex(PikeVM);

    /// Why an expression cannot be compiled.
    #[derive(Debug)]
    pub struct Error(#[expect(dead_code, reason = "it is shown by Debug")] thompson::BuildError);

    /// Where an expression and its groups matched.
    pub struct Captures<'h> {
        haystack: &'h [u8],
        groups: captures::Captures,
    }

    /// Where one group matched.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Match<'h>(&'h [u8]);

    impl Regex {
        /// Compiles an expression.
        pub fn new(pattern: &str) -> Result<Self, Error> {
            PikeVM::builder()
                .syntax(syntax::Config::new().unicode(false).utf8(false))
                .thompson(thompson::Config::new().utf8(false))
                .build(pattern)
                .map(Self)
                .map_err(Error)
        }

        /// True if it matches somewhere.
        pub fn is_match(&self, haystack: &[u8]) -> bool {
            self.0.is_match(&mut self.0.create_cache(), haystack)
        }

        /// The first match with its groups.
        pub fn captures<'h>(&self, haystack: &'h [u8]) -> Option<Captures<'h>> {
            let mut groups = self.0.create_captures();
            self.0.captures(&mut self.0.create_cache(), haystack, &mut groups);
            groups.is_match().then_some(Captures { haystack, groups })
        }
    }

    impl fmt::Debug for Regex {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Regex")
        }
    }

    impl<'h> Captures<'h> {
        /// A group by its number; 0 is the whole match.
        pub fn get(&self, number: usize) -> Option<Match<'h>> {
            self.groups.get_group(number).map(|span| Match(&self.haystack[span.range()]))
        }
    }

    impl<'h> Match<'h> {
        /// What matched.
        pub fn as_bytes(&self) -> &'h [u8] {
            self.0
        }
    }

    #[cfg(test)]
    mod tests;
}
