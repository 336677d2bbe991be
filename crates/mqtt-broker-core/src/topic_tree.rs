//! Who subscribes to what: a tree of Topic Filters whose levels are numbers.
//!
//! A level's text is looked up once for each message; from there on the walk compares integers.

mod level_names;
mod match_cache;

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    num::NonZeroU32,
    sync::Arc,
};

use mqtt_protocol::QoS;

use self::level_names::{LevelId, LevelNames};
pub(crate) use self::match_cache::{Entry, MatchCache};
use crate::session::SessionIndex;

/// One session's interest at one node of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subscriber {
    pub(crate) session: SessionIndex,
    pub(crate) subscription_identifier: Option<NonZeroU32>,
    pub(crate) maximum_qos: QoS,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
}

/// Names one group of a Shared Subscription while the tree stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupRef {
    node: NodeIndex,
    group: usize,
}

/// What a group has in common, for whoever has to find it again later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupName {
    share_name: Box<str>,
    filter: Box<str>,
}

impl GroupName {
    pub(crate) fn new(share_name: &str, filter: &str) -> Self {
        Self {
            share_name: share_name.into(),
            filter: filter.into(),
        }
    }

    pub(crate) fn share_name(&self) -> &str {
        &self.share_name
    }

    pub(crate) fn filter(&self) -> &str {
        &self.filter
    }
}

/// Whom a message goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Matches {
    /// Ordered by session, so that overlapping subscriptions of one session are neighbours.
    pub(crate) subscribers: Vec<Subscriber>,
    /// Of each group one member gets the message.
    pub(crate) groups: Vec<GroupRef>,
}

/// All subscriptions of all sessions.
#[derive(Debug)]
pub(crate) struct TopicTree {
    levels: LevelNames,
    child_by_edge: HashMap<(NodeIndex, LevelId), NodeIndex, BuildHasherDefault<EdgeHasher>>,
    /// The place of a group at its node, by its share name, whose text is kept with those of the levels.
    /// Apart from the nodes, of which few have groups.
    group_by_share: HashMap<(NodeIndex, LevelId), usize, BuildHasherDefault<EdgeHasher>>,
    nodes: Vec<Node>,
    free: Vec<NodeIndex>,
    /// The levels of the topic being matched; kept for its memory.
    scratch: Vec<Option<LevelId>>,
}

impl TopicTree {
    pub(crate) fn new() -> Self {
        Self {
            levels: LevelNames::default(),
            child_by_edge: HashMap::default(),
            group_by_share: HashMap::default(),
            nodes: vec![Node::default()],
            free: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Adds a subscription, or replaces that of the same session and filter. Says whether it is a new one.
    pub(crate) fn insert(
        &mut self,
        filter: &str,
        group: Option<&str>,
        subscriber: Subscriber,
    ) -> bool {
        let index = self.node_for(filter);
        let subscribers = match group {
            None => &mut self.nodes[index].subscribers,
            Some(share_name) => {
                let group = self
                    .group_at(index, share_name)
                    .unwrap_or_else(|| self.add_group(index, share_name, filter));
                &mut self.nodes[index].groups[group].members
            }
        };
        match subscribers.binary_search_by_key(&subscriber.session, |entry| entry.session) {
            Ok(position) => {
                subscribers[position] = subscriber;
                false
            }
            Err(position) => {
                subscribers.insert(position, subscriber);
                true
            }
        }
    }

    /// Ends a subscription. Says whether there was one.
    pub(crate) fn remove(
        &mut self,
        filter: &str,
        group: Option<&str>,
        session: SessionIndex,
    ) -> bool {
        let Some(index) = self.find_node(filter) else {
            return false;
        };
        let removed = match group {
            None => remove_from(&mut self.nodes[index].subscribers, session),
            Some(share_name) => match self.group_at(index, share_name) {
                Some(position) => {
                    let members = &mut self.nodes[index].groups[position].members;
                    let removed = remove_from(members, session);
                    if members.is_empty() {
                        self.remove_group(index, position);
                    }
                    removed
                }
                None => false,
            },
        };
        self.prune(index);
        removed
    }

    /// Collects whom a message on `topic` goes to.
    pub(crate) fn collect_matches(&mut self, topic: &str, matches: &mut Matches) {
        matches.subscribers.clear();
        matches.groups.clear();
        let mut levels = std::mem::take(&mut self.scratch);
        levels.clear();
        levels.extend(topic.split('/').map(|level| self.levels.find(level)));
        // [MQTT-4.7.2-1]: a filter that begins with a wildcard never matches a topic that begins with `$`.
        let wildcards_at_root = !topic.starts_with('$');
        let n_sources = self.visit(ROOT, &levels, wildcards_at_root, matches);
        self.scratch = levels;
        if n_sources > 1 {
            matches
                .subscribers
                .sort_by_key(|subscriber| subscriber.session);
        }
    }

    /// The members of a group and whose turn it is, which passes on with each call.
    pub(crate) fn take_turn(&mut self, group: GroupRef) -> (&[Subscriber], usize) {
        let group = &mut self.nodes[group.node].groups[group.group];
        let turn = group.next % group.members.len();
        group.next = turn + 1;
        (&group.members, turn)
    }

    /// What a group is called.
    pub(crate) fn group_name(&self, group: GroupRef) -> &Arc<GroupName> {
        &self.nodes[group.node].groups[group.group].name
    }

    /// Who shares a group's messages.
    pub(crate) fn members(&self, group: GroupRef) -> &[Subscriber] {
        &self.nodes[group.node].groups[group.group].members
    }

    /// The group of that name, if it has members.
    pub(crate) fn find_group(&self, name: &GroupName) -> Option<GroupRef> {
        let node = self.find_node(&name.filter)?;
        let group = self.group_at(node, &name.share_name)?;
        Some(GroupRef { node, group })
    }

    fn group_at(&self, index: NodeIndex, share_name: &str) -> Option<usize> {
        let share = self.levels.find(share_name)?;
        self.group_by_share.get(&(index, share)).copied()
    }

    fn add_group(&mut self, index: NodeIndex, share_name: &str, filter: &str) -> usize {
        let share = self.levels.acquire(share_name);
        let groups = &mut self.nodes[index].groups;
        groups.push(Group {
            name: Arc::new(GroupName::new(share_name, filter)),
            share,
            members: Vec::new(),
            next: 0,
        });
        self.group_by_share.insert((index, share), groups.len() - 1);
        groups.len() - 1
    }

    /// Removes a group; the last one of its node takes its place.
    fn remove_group(&mut self, index: NodeIndex, position: usize) {
        let groups = &mut self.nodes[index].groups;
        let removed = groups.swap_remove(position);
        if let Some(moved) = groups.get(position) {
            self.group_by_share.insert((index, moved.share), position);
        }
        self.group_by_share.remove(&(index, removed.share));
        self.levels.release(removed.share);
    }

    /// Adds what this node and those below it match; says from how many nodes subscribers came.
    fn visit(
        &self,
        index: NodeIndex,
        levels: &[Option<LevelId>],
        wildcards: bool,
        matches: &mut Matches,
    ) -> usize {
        let node = &self.nodes[index];
        let mut n_sources = 0;
        if let Some(multi_level) = node.multi_level
            && wildcards
        {
            n_sources += self.take(multi_level, matches);
        }
        let Some((level, rest)) = levels.split_first() else {
            return n_sources + self.take(index, matches);
        };
        if let Some(single_level) = node.single_level
            && wildcards
        {
            n_sources += self.visit(single_level, rest, true, matches);
        }
        if let Some(level) = level
            && let Some(&child) = self.child_by_edge.get(&(index, *level))
        {
            n_sources += self.visit(child, rest, true, matches);
        }
        n_sources
    }

    fn take(&self, index: NodeIndex, matches: &mut Matches) -> usize {
        let node = &self.nodes[index];
        matches.subscribers.extend_from_slice(&node.subscribers);
        matches
            .groups
            .extend((0..node.groups.len()).map(|group| GroupRef { node: index, group }));
        usize::from(!node.subscribers.is_empty())
    }

    fn find_node(&self, filter: &str) -> Option<NodeIndex> {
        let mut index = ROOT;
        for level in filter.split('/') {
            let node = &self.nodes[index];
            index = match level {
                "+" => node.single_level?,
                "#" => node.multi_level?,
                name => *self.child_by_edge.get(&(index, self.levels.find(name)?))?,
            };
        }
        Some(index)
    }

    fn node_for(&mut self, filter: &str) -> NodeIndex {
        let mut index = ROOT;
        for level in filter.split('/') {
            let (existing, edge) = match level {
                "+" => (self.nodes[index].single_level, Edge::SingleLevel),
                "#" => (self.nodes[index].multi_level, Edge::MultiLevel),
                name => {
                    let existing = self
                        .levels
                        .find(name)
                        .and_then(|level| self.child_by_edge.get(&(index, level)).copied());
                    match existing {
                        Some(child) => (Some(child), Edge::Root),
                        None => (None, Edge::Level(self.levels.acquire(name))),
                    }
                }
            };
            index = existing.unwrap_or_else(|| self.add_child(index, edge));
        }
        index
    }

    fn add_child(&mut self, parent: NodeIndex, edge: Edge) -> NodeIndex {
        let node = Node {
            parent,
            edge,
            ..Node::default()
        };
        let index = match self.free.pop() {
            Some(index) => {
                self.nodes[index] = node;
                index
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        };
        let parent_node = &mut self.nodes[parent];
        parent_node.n_children += 1;
        match edge {
            Edge::Root => {}
            Edge::SingleLevel => parent_node.single_level = Some(index),
            Edge::MultiLevel => parent_node.multi_level = Some(index),
            Edge::Level(level) => {
                self.child_by_edge.insert((parent, level), index);
            }
        }
        index
    }

    /// Frees nodes that nobody needs, from `index` towards the root.
    fn prune(&mut self, mut index: NodeIndex) {
        while index != ROOT && self.nodes[index].is_unused() {
            let Node { parent, edge, .. } = std::mem::take(&mut self.nodes[index]);
            self.free.push(index);
            let parent_node = &mut self.nodes[parent];
            parent_node.n_children -= 1;
            match edge {
                Edge::Root => {}
                Edge::SingleLevel => parent_node.single_level = None,
                Edge::MultiLevel => parent_node.multi_level = None,
                Edge::Level(level) => {
                    self.child_by_edge.remove(&(parent, level));
                    self.levels.release(level);
                }
            }
            index = parent;
        }
    }
}

fn remove_from(subscribers: &mut Vec<Subscriber>, session: SessionIndex) -> bool {
    match subscribers.binary_search_by_key(&session, |entry| entry.session) {
        Ok(position) => {
            subscribers.remove(position);
            true
        }
        Err(_) => false,
    }
}

type NodeIndex = usize;

const ROOT: NodeIndex = 0;

#[derive(Debug, Default)]
struct Node {
    parent: NodeIndex,
    edge: Edge,
    n_children: u32,
    single_level: Option<NodeIndex>,
    multi_level: Option<NodeIndex>,
    /// Ordered by session.
    subscribers: Vec<Subscriber>,
    groups: Vec<Group>,
}

impl Node {
    const fn is_unused(&self) -> bool {
        self.n_children == 0 && self.subscribers.is_empty() && self.groups.is_empty()
    }
}

/// The members of one Shared Subscription.
#[derive(Debug)]
struct Group {
    name: Arc<GroupName>,
    share: LevelId,
    /// Ordered by session.
    members: Vec<Subscriber>,
    next: usize,
}

/// How a node hangs below its parent.
#[derive(Debug, Clone, Copy, Default)]
enum Edge {
    #[default]
    Root,
    SingleLevel,
    MultiLevel,
    Level(LevelId),
}

/// Mixes two small integers; they are ours, so nobody can choose them to collide.
#[derive(Debug, Default)]
struct EdgeHasher(u64);

impl Hasher for EdgeHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }
    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

#[cfg(test)]
mod tests;
