//! Preparation: an intake cell parses an artifact once; what it made is kept by the artifact's id.

use crate::artifact::{Artifacts, Prepared};
use crate::cell::{Budget, Caps, Cells, Execution, Kill, NoErrands, PREPARE_MEMORY_BYTES, ZygoteKind};
use crate::intake::answer_bytes_max;
use crate::model::frame::{FROM_CELL_SLACK, FromCell, Order, PrepareOrder, ReadyModule, Rejection};
use crate::model::{Artifact, Digest, Evidence, Outcome, Problem, ProblemCode};
use std::sync::Arc;
use std::time::Duration;

/// CPU time that preparing one artifact may take. An estimate, not yet measured.
const PREPARE_CPU: Duration = Duration::from_secs(2);

/// Time that preparing one artifact may take.
const PREPARE_WALL: Duration = Duration::from_secs(5);

/// The prepared form of `artifact`. The caller's source is the cause of `rejected`.
pub(super) async fn prepare(
    cells: &Cells,
    artifacts: &Artifacts,
    id: Digest,
    artifact: &Artifact,
    stop: impl Future<Output = Outcome>,
) -> Result<Prepared, Problem> {
    if let Some(known) = artifacts.prepared(&id) {
        return Ok(known);
    }
    let cell = cells.take(ZygoteKind::Intake).await.map_err(|error| super::steps::no_cell(&error))?;
    // An honest intake keeps to it by itself, and says so in its own words: a longer frame is a lie.
    let bytes_max = answer_bytes_max(artifact.source_bytes());
    let budget = Budget { cpu: PREPARE_CPU, wall: PREPARE_WALL, memory_bytes: PREPARE_MEMORY_BYTES };
    let caps = Caps { frame_bytes: usize::try_from(bytes_max).unwrap_or(usize::MAX), log_bytes: 0, log_lines: 0, denials: 0 };
    let execution = cell.execute(&order(artifact), (budget, caps), &mut NoErrands, stop).await;
    let modules = Arc::new(read(execution, artifact)?);
    artifacts.keep_prepared(id, Arc::clone(&modules));
    Ok(modules)
}

/// What the static checks see in `artifact`, looked through by an intake cell. Evidence about the source, never a boundary.
pub async fn examine(cells: &Cells, artifact: &Artifact) -> Result<Evidence, Problem> {
    let cell = cells.take(ZygoteKind::Intake).await.map_err(|error| super::steps::no_cell(&error))?;
    let budget = Budget { cpu: PREPARE_CPU, wall: PREPARE_WALL, memory_bytes: PREPARE_MEMORY_BYTES };
    let caps = Caps { frame_bytes: FROM_CELL_SLACK, log_bytes: 0, log_lines: 0, denials: 0 };
    let order = Order::Check(Box::new(whole(artifact)));
    let execution = cell.execute(&order, (budget, caps), &mut NoErrands, std::future::pending()).await;
    let has = |name: &str| artifact.modules().keys().any(|module| module.as_str() == name);
    match (execution.killed, execution.last) {
        (None, Some(FromCell::Checked(evidence))) if evidence.is_plausible(has) => Ok(*evidence),
        (None, Some(_)) => Err(hostile("its checker answered with something else")),
        (Some(Kill::Lied(how)), _) => Err(hostile(&how)),
        (Some(Kill::Cpu | Kill::Wall), _) => Err(hostile("it takes too long to look through")),
        (Some(Kill::Stopped(_)), _) | (None, None) => Err(hostile("looking it through used up the memory or the stack of its process")),
    }
}

fn order(artifact: &Artifact) -> Order {
    Order::Prepare(Box::new(whole(artifact)))
}

/// The artifact as an order has it.
fn whole(artifact: &Artifact) -> PrepareOrder {
    let modules = artifact.modules().iter().map(|(name, source)| (name.to_string(), source.clone())).collect();
    // A snippet is one module; only there may text that is no module be read as one.
    let normalise = artifact.modules().len() == 1;
    PrepareOrder { modules, main: artifact.main_module().to_string(), normalise }
}

fn read(execution: Execution, artifact: &Artifact) -> Result<Vec<ReadyModule>, Problem> {
    match (execution.killed, execution.last) {
        (Some(Kill::Stopped(_)), _) => {
            Err(Problem::new(ProblemCode::Overloaded, "the request was canceled while its source was prepared", "send it again"))
        }
        (Some(Kill::Lied(how)), _) => Err(hostile(&how)),
        (Some(Kill::Cpu | Kill::Wall), _) => Err(hostile("it takes too long to parse")),
        (None, Some(FromCell::Prepared(modules))) => complete(modules, artifact),
        (None, Some(FromCell::Rejected(rejection))) => Err(rejected(rejection)),
        (None, _) => Err(hostile("parsing it used up the memory or the stack of its process")),
    }
}

/// The modules, if they are those of the artifact.
fn complete(modules: Vec<ReadyModule>, artifact: &Artifact) -> Result<Vec<ReadyModule>, Problem> {
    let same = modules.iter().map(|module| module.name.as_str()).eq(artifact.modules().keys().map(|name| name.as_str()));
    if same { Ok(modules) } else { Err(hostile("its parser answered with other modules")) }
}

fn rejected(rejection: Rejection) -> Problem {
    let mut problem = Problem::new(ProblemCode::Rejected, rejection.message, rejection.remediation);
    problem.location = rejection.location;
    problem.denials = rejection.denial.into_iter().collect();
    problem
}

/// A source that hurts its parser: contained, and refused.
fn hostile(how: &str) -> Problem {
    Problem::new(
        ProblemCode::Rejected,
        format!("the source could not be parsed: {how}"),
        "send simpler source: less nesting, shorter expressions",
    )
}
