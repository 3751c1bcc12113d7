//! Many spellings searched for at once, byte by byte, across pieces: an automaton that knows at each byte how much of what it saw may be the start of a
//! spelling, so that nothing else needs to wait.

use super::spell::Spellings;
use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::contiguous::NFA;
use zeroize::Zeroizing;

/// Whether the search tells upper from lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Same,
    Different,
}

impl Case {
    #[inline]
    fn fold(self, byte: u8) -> u8 {
        match self {
            Self::Same => byte.to_ascii_lowercase(),
            Self::Different => byte,
        }
    }

    fn fold_all(self, text: &[u8]) -> Vec<u8> {
        text.iter().map(|&byte| self.fold(byte)).collect()
    }
}

/// The spellings of several owners, each a number.
pub(super) struct Net {
    automaton: NFA,
    start: StateID,
    owners: Vec<usize>,
    case: Case,
    depths: Depths,
    /// The bytes that begin nothing: a search at its start stays there.
    idle: [bool; 256],
}

/// How long the beginning of a spelling is that leads to a state, by the state's number. Zero for a whole spelling that begins no longer one: it is
/// found, so nothing of it waits, and what begins within it needs no waiting either.
struct Depths(Vec<u32>);

impl Depths {
    fn of(&self, state: StateID) -> usize {
        self.0.get(state.as_usize()).map_or(0, |&depth| usize::try_from(depth).unwrap_or(usize::MAX))
    }

    fn set(&mut self, state: StateID, depth: usize) {
        if self.0.len() <= state.as_usize() {
            self.0.resize(state.as_usize() + 1, 0);
        }
        self.0[state.as_usize()] = u32::try_from(depth).unwrap_or(u32::MAX);
    }
}

/// What ended at a byte.
pub(super) struct Hit {
    /// Length of the spelling.
    pub(super) length: usize,
    /// Whose it is.
    pub(super) owner: usize,
}

impl Net {
    /// A net for many texts; their owners are numbered as they come.
    pub(super) fn of(spellings: &[Spellings], case: Case) -> Result<Self, String> {
        Self::new(spellings.iter().enumerate().flat_map(|(owner, all)| all.iter().map(move |spelling| (spelling, owner))), case)
    }

    /// A net for `spellings`, each with its owner.
    fn new<'a>(spellings: impl IntoIterator<Item = (&'a [u8], usize)>, case: Case) -> Result<Self, String> {
        let (texts, owners): (Vec<Zeroizing<Vec<u8>>>, Vec<usize>) =
            spellings.into_iter().map(|(text, owner)| (Zeroizing::new(case.fold_all(text)), owner)).unzip();
        let mut builder = NFA::builder();
        // The automaton is driven by the byte, so that the library's prefilter would never be asked.
        let automaton = builder.prefilter(false).build(texts.iter().map(|text| text.as_slice())).map_err(|error| error.to_string())?;
        let start = automaton.start_state(Anchored::No).map_err(|error| error.to_string())?;
        let mut net = Self { automaton, start, owners, case, depths: Depths(Vec::new()), idle: [false; 256] };
        net.measure(&texts);
        net.idle = std::array::from_fn(|byte| u8::try_from(byte).is_ok_and(|byte| net.step(net.start, byte) == net.start));
        Ok(net)
    }

    fn measure(&mut self, texts: &[Zeroizing<Vec<u8>>]) {
        for text in texts {
            let mut state = self.start;
            for (at, &byte) in text.iter().enumerate().take(text.len().saturating_sub(1)) {
                state = self.step(state, byte);
                self.depths.set(state, at + 1);
            }
        }
    }

    /// The state before the first byte.
    pub(super) fn start(&self) -> StateID {
        self.start
    }

    /// The state after one more byte.
    #[inline]
    pub(super) fn step(&self, state: StateID, byte: u8) -> StateID {
        self.automaton.next_state(Anchored::No, state, self.case.fold(byte))
    }

    /// True when a search at its start stays there at `byte`. To ask this is much cheaper than a step.
    #[inline]
    pub(super) fn is_idle(&self, byte: u8) -> bool {
        self.idle[usize::from(byte)]
    }

    /// True when a spelling ends here.
    #[inline]
    pub(super) fn is_hit(&self, state: StateID) -> bool {
        self.automaton.is_special(state) && self.automaton.is_match(state)
    }

    /// The spellings that end here.
    pub(super) fn hits(&self, state: StateID) -> impl Iterator<Item = Hit> {
        let count = if self.is_hit(state) { self.automaton.match_len(state) } else { 0 };
        (0..count).map(move |at| {
            let pattern = self.automaton.match_pattern(state, at);
            Hit { length: self.automaton.pattern_len(pattern), owner: self.owners[pattern.as_usize()] }
        })
    }

    /// How many of the last bytes may be the start of a spelling.
    pub(super) fn depth(&self, state: StateID) -> usize {
        self.depths.of(state)
    }

    /// Whose spellings are in `text`, each owner once.
    pub(super) fn owners_in(&self, text: &[u8]) -> Vec<usize> {
        let mut owners = Vec::new();
        let mut state = self.start;
        for &byte in text {
            state = self.step(state, byte);
            if self.is_hit(state) {
                owners.extend(self.hits(state).map(|hit| hit.owner));
            }
        }
        owners.sort_unstable();
        owners.dedup();
        owners
    }
}
