//! The named trees of the store.

/// A named tree: a sorted map from key bytes to value bytes. The list is closed; a number is never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tree {
    /// What the store and its rooms say about themselves.
    Meta,
    /// The log's records by sequence number (8 bytes, big-endian).
    Records,
    /// The log's stored Merkle hashes by stored hash index (8 bytes, big-endian).
    Hashes,
    /// Reports by run id (16 bytes, in the order of time).
    Runs,
    /// One summary per run, by run id: what lists and filters read.
    RunRows,
    /// Runs whose intent has no seal yet, by run id.
    OpenIntents,
    /// Artifacts by id.
    Artifacts,
    /// What intake made of an artifact, by artifact id.
    Prepared,
    /// API keys by key id.
    Keys,
    /// Answers kept for idempotency keys.
    Idempotency,
    /// Standing orders.
    Quarantines,
    /// Where each alias leads, by the alias.
    Aliases,
    /// Every move of every alias, by the alias and the sequence number of its record.
    AliasMoves,
    /// Where each artifact stands on the ladder, by artifact id.
    Standings,
    /// Every step of every artifact, by artifact id and the sequence number of its record.
    Ladder,
    /// Reviews, by artifact id and the sequence number of their record.
    Reviews,
    /// Everyone who ever submitted an artifact, by artifact id and principal id.
    Authors,
    /// What came along with artifacts, by artifact id and digest.
    Submissions,
    /// Evidence sets by id.
    Evidence,
    /// Ids of evidence sets, by artifact id and the time they were gathered.
    EvidenceOf,
    /// Clean runs at tier 1, by artifact id, evidence set and run id.
    CleanRuns,
    /// The decision log, by decision id (16 bytes, in the order of time).
    Decisions,
    /// What runs may send out, as JSON, by its digest: where that is too long for their records.
    EgressGrants,
}

impl Tree {
    /// Every tree.
    pub const ALL: [Self; 23] = [
        Self::Meta,
        Self::Records,
        Self::Hashes,
        Self::Runs,
        Self::RunRows,
        Self::OpenIntents,
        Self::Artifacts,
        Self::Prepared,
        Self::Keys,
        Self::Idempotency,
        Self::Quarantines,
        Self::Aliases,
        Self::AliasMoves,
        Self::Standings,
        Self::Ladder,
        Self::Reviews,
        Self::Authors,
        Self::Submissions,
        Self::Evidence,
        Self::EvidenceOf,
        Self::CleanRuns,
        Self::Decisions,
        Self::EgressGrants,
    ];

    /// Its number in the journal: part of the format, never changed.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Meta => 0,
            Self::Records => 1,
            Self::Hashes => 2,
            Self::Runs => 3,
            Self::RunRows => 4,
            Self::OpenIntents => 5,
            Self::Artifacts => 6,
            Self::Prepared => 7,
            Self::Keys => 8,
            Self::Idempotency => 9,
            Self::Quarantines => 10,
            Self::Aliases => 11,
            Self::AliasMoves => 12,
            Self::Standings => 13,
            Self::Ladder => 14,
            Self::Reviews => 15,
            Self::Authors => 16,
            Self::Submissions => 17,
            Self::Evidence => 18,
            Self::EvidenceOf => 19,
            Self::CleanRuns => 20,
            Self::Decisions => 21,
            Self::EgressGrants => 22,
        }
    }

    /// The tree of a number.
    pub(super) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|tree| tree.code() == code)
    }

    /// Its place in tables that have one entry per tree.
    pub(super) fn index(self) -> usize {
        usize::from(self.code())
    }

    /// Its name on disk: part of the format, never changed.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Records => "records",
            Self::Hashes => "hashes",
            Self::Runs => "runs",
            Self::RunRows => "run-rows",
            Self::OpenIntents => "open-intents",
            Self::Artifacts => "artifacts",
            Self::Prepared => "prepared",
            Self::Keys => "keys",
            Self::Idempotency => "idempotency",
            Self::Quarantines => "quarantines",
            Self::Aliases => "aliases",
            Self::AliasMoves => "alias-moves",
            Self::Standings => "standings",
            Self::Ladder => "ladder",
            Self::Reviews => "reviews",
            Self::Authors => "authors",
            Self::Submissions => "submissions",
            Self::Evidence => "evidence",
            Self::EvidenceOf => "evidence-of",
            Self::CleanRuns => "clean-runs",
            Self::Decisions => "decisions",
            Self::EgressGrants => "egress-grants",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tree_has_a_number_of_its_own_that_reads_back() {
        for (index, tree) in Tree::ALL.into_iter().enumerate() {
            assert_eq!((tree.index(), Tree::from_code(tree.code())), (index, Some(tree)));
        }
        assert_eq!(Tree::from_code(Tree::ALL.len() as u8), None);
    }
}
