//! The words of the schema, made once: questions are put together from them.

use crate::model::{Action, Ask, Door, Resource, Role, Tier};
use cedar_policy::{Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression, Schema};
use std::collections::{HashMap, HashSet};
use std::fmt::Display;

/// The schema: ours, whatever policies an operator has.
const SCHEMA: &str = include_str!("../../../policies/cordon.cedarschema");

/// A question in Cedar's words.
pub(super) struct Question {
    pub(super) request: Request,
    pub(super) entities: Entities,
}

/// The schema, and the names of its types, actions and contexts.
pub(super) struct Words {
    pub(super) schema: Schema,
    role: EntityTypeName,
    principal: EntityTypeName,
    profile: EntityTypeName,
    run: EntityTypeName,
    artifact: EntityTypeName,
    server: EntityUid,
    actions: [EntityUid; Action::ALL.len()],
    public: Context,
    operator: Context,
}

type Attributes = HashMap<String, RestrictedExpression>;

impl Words {
    /// Reads the schema. Fails when this build's own files are wrong.
    pub(super) fn new() -> Result<Self, String> {
        let (schema, _warnings) = Schema::from_cedarschema_str(SCHEMA).map_err(told)?;
        let listener = name("Listener")?;
        let context = |door: Door| {
            let listener = RestrictedExpression::new_entity_uid(uid(&listener, door.as_str()));
            Context::from_pairs([("listener".to_owned(), listener)]).map_err(told)
        };
        let action = name("Action")?;
        Ok(Self {
            schema,
            role: name("Role")?,
            principal: name("Principal")?,
            profile: name("Profile")?,
            run: name("Run")?,
            artifact: name("Artifact")?,
            server: uid(&name("Server")?, "server"),
            actions: Action::ALL.map(|each| uid(&action, each.as_str())),
            public: context(Door::Public)?,
            operator: context(Door::Operator)?,
        })
    }

    /// The name of an action.
    pub(super) fn action(&self, action: Action) -> &EntityUid {
        &self.actions[action as usize]
    }

    /// `ask` in Cedar's words, checked against the schema: an action asked of another kind of thing than its own is an error.
    pub(super) fn question(&self, ask: &Ask<'_>) -> Result<Question, String> {
        let resource = self.resource(&ask.resource)?;
        let principal = self.principal(ask)?;
        let context = match ask.listener {
            Door::Public => self.public.clone(),
            Door::Operator => self.operator.clone(),
        };
        let action = self.action(ask.action).clone();
        let request = Request::new(principal.uid(), action, resource.uid(), context, Some(&self.schema)).map_err(told)?;
        // Without the schema: what these entities look like is fixed in this file, and a test checks each against it.
        let entities = Entities::from_entities([principal, resource], None).map_err(told)?;
        Ok(Question { request, entities })
    }

    fn principal(&self, ask: &Ask<'_>) -> Result<Entity, String> {
        let (id, role) = (self.principal_uid(&ask.principal.id), self.role_uid(ask.principal.role));
        let attributes = Attributes::from([("name".to_owned(), text(&ask.principal.name))]);
        Entity::new(id, attributes, HashSet::from([role])).map_err(told)
    }

    fn resource(&self, resource: &Resource<'_>) -> Result<Entity, String> {
        let (uid, attributes) = match *resource {
            Resource::Profile { name, tier } => (uid(&self.profile, name), vec![("name", text(name)), ("tier", number(tier))]),
            Resource::Run { id, owner, tier } => {
                let owner = RestrictedExpression::new_entity_uid(self.principal_uid(owner));
                (uid(&self.run, id), vec![("owner", owner), ("tier", number(tier))])
            }
            Resource::Artifact { id, tier, authors } => {
                let authors = authors.iter().map(|author| RestrictedExpression::new_entity_uid(self.principal_uid(author)));
                (uid(&self.artifact, id), vec![("tier", number(tier)), ("authors", RestrictedExpression::new_set(authors))])
            }
            Resource::Server => (self.server.clone(), Vec::new()),
        };
        let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Entity::new(uid, attributes, HashSet::new()).map_err(told)
    }

    fn principal_uid(&self, id: &str) -> EntityUid {
        uid(&self.principal, id)
    }

    fn role_uid(&self, role: Role) -> EntityUid {
        uid(&self.role, role.as_str())
    }
}

fn name(text: &str) -> Result<EntityTypeName, String> {
    text.parse().map_err(told)
}

fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn number(tier: Tier) -> RestrictedExpression {
    RestrictedExpression::new_long(tier.number().into())
}

fn told(error: impl Display) -> String {
    error.to_string()
}
