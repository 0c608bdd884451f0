//! What the checks do with lists: name them in a text, find in them what there is twice.

/// `a, b and c`
pub fn listed<T: AsRef<str>>(words: &[T]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().into(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// Pairs of hosts that have the same of something.
pub fn clashes<'a, T: PartialEq>(all: &[(&'a str, T)]) -> Vec<(&'a str, &'a str)> {
    let mut pairs = Vec::new();
    for (place, (second, value)) in all.iter().enumerate() {
        if let Some((first, _)) = all[..place].iter().find(|(_, other)| other == value) {
            pairs.push((*first, *second));
        }
    }
    pairs
}
