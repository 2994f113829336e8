//! A passphrase in memory: erased when dropped, and never printed.

use zeroize::Zeroizing;

/// What protects the region authority's keys on disk.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// The fewest characters for a new region. With the work that each guess costs, twelve
    /// random letters are out of reach; the words of a sentence are longer anyway.
    pub const MIN_CHARACTERS: usize = 12;

    /// As it was typed or read from a file; the end of the line is not part of it.
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = Zeroizing::new(text.into());
        let length = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(length);
        Self(text)
    }

    /// Whether it is long enough to protect a new region.
    pub fn is_long_enough(&self) -> bool {
        self.0.chars().count() >= Self::MIN_CHARACTERS
    }

    /// For the encryption, which erases its copy too.
    pub(crate) fn secret(&self) -> age::secrecy::SecretString {
        age::secrecy::SecretString::from(self.0.as_str().to_owned())
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase")
    }
}
