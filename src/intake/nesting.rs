//! A cheap look at a source before any recursive code sees it: how deep would its syntax tree be?
//!
//! The parser and every pass behind it recurse along the tree, so a source of a few kilobytes can ask for megabytes of stack.
//! This scan is linear, keeps a bounded stack of its own and never recurses. It is an estimate: it splits tokens as a lexer does, but knows
//! no grammar. Where it cannot tell, it counts less: a source that slips through costs its own cell, a source that is refused wrongly
//! costs a user.
//!
//! Two sums are kept over all brackets that are open:
//! * `steps`: brackets, `<` of type arguments, and whatever else makes the parser call itself (prefix operators, `=>`, `=`, `?`, `**`, `if` and its kin);
//! * `links`: chains that the parser builds in a loop (`a.b.c`, `a + b + c`, `f()()`), but that later passes walk down.

use super::scan::{Bracket, Lexer, Token, Word};

/// Most nested steps. Source: `tests::the_stack_of_a_main_thread_carries_every_shape_at_its_limit`, with a factor of two to spare on 8 MiB.
pub(super) const STEPS_MAX: u32 = 500;

/// Most chained links. Source: as [`STEPS_MAX`].
pub(super) const LINKS_MAX: u32 = 3000;

/// Where a source gets deeper than the limits allow, as a byte offset; `None` when it stays inside.
pub(super) fn too_deep_at(source: &str) -> Option<usize> {
    let mut lexer = Lexer::new(source);
    let mut depth = Depth::default();
    while let Some(token) = lexer.next() {
        depth.take(&token);
        if depth.steps > STEPS_MAX || depth.links > LINKS_MAX {
            return Some(lexer.token_start());
        }
    }
    None
}

/// What the statement or list element that is being read has piled up inside one bracket.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    steps: u32,
    links: u32,
}

/// One open bracket.
#[derive(Debug, Default)]
struct Level {
    run: Run,
    /// The statement before, in case an `else` goes on with it.
    before: Run,
    /// Open `<`; a comma does not close them.
    angles: u32,
}

/// The sums over all open brackets. INVARIANT (sums): `steps` and `links` equal what the levels add up to, one step per bracket included.
#[derive(Debug, Default)]
struct Depth {
    open: Vec<Level>,
    bottom: Level,
    steps: u32,
    links: u32,
}

impl Depth {
    fn level(&mut self) -> &mut Level {
        self.open.last_mut().unwrap_or(&mut self.bottom)
    }

    fn take(&mut self, token: &Token) {
        if token.begins_statement {
            self.end_statement();
        }
        match token.word {
            Word::Step => self.step(),
            Word::Link => self.link(),
            Word::Plain => {}
            Word::Else => self.go_on(),
            Word::Open(bracket) => self.open(bracket),
            Word::Close => self.close(),
            Word::Angle => self.angle(),
            Word::AngleStep => {
                self.angle();
                self.step();
            }
            Word::AngleClose => self.angle_close(),
            Word::Comma => self.clear_run(),
            Word::Semicolon => self.end_statement(),
            Word::Pattern(groups) => self.pattern(groups),
        }
    }

    fn step(&mut self) {
        self.level().run.steps += 1;
        self.steps += 1;
    }

    fn link(&mut self) {
        self.level().run.links += 1;
        self.links += 1;
    }

    fn angle(&mut self) {
        self.level().angles += 1;
        self.steps += 1;
    }

    fn angle_close(&mut self) {
        if self.level().angles > 0 {
            self.level().angles -= 1;
            self.steps -= 1;
        }
    }

    fn open(&mut self, bracket: Bracket) {
        match bracket {
            // A call, an index or a tagged template hangs on what stands before it.
            Bracket::Round | Bracket::Square | Bracket::Template => self.link(),
            Bracket::Curly => {}
        }
        self.open.push(Level::default());
        self.steps += 1;
    }

    fn close(&mut self) {
        if let Some(level) = self.open.pop() {
            self.steps -= 1 + level.run.steps + level.angles;
            self.links -= level.run.links;
        }
    }

    /// A regular expression is parsed at once and left again.
    fn pattern(&mut self, groups: u32) {
        if self.steps.saturating_add(groups) > STEPS_MAX {
            self.steps = self.steps.saturating_add(groups);
        }
    }

    fn clear_run(&mut self) {
        let run = std::mem::take(&mut self.level().run);
        self.steps -= run.steps;
        self.links -= run.links;
    }

    fn end_statement(&mut self) {
        let angles = std::mem::take(&mut self.level().angles);
        self.steps -= angles;
        let level = self.level();
        level.before = level.run;
        self.clear_run();
    }

    fn go_on(&mut self) {
        let before = std::mem::take(&mut self.level().before);
        let run = &mut self.level().run;
        run.steps += before.steps;
        run.links += before.links;
        self.steps += before.steps;
        self.links += before.links;
    }
}

#[cfg(test)]
mod tests;
