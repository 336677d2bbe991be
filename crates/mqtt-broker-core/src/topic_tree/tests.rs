use std::hash::BuildHasher;

use mqtt_protocol::TopicName;

use super::*;

fn subscriber(session: u32) -> Subscriber {
    Subscriber {
        session: SessionIndex(session),
        subscription_identifier: None,
        maximum_qos: QoS::AtMostOnce,
        no_local: false,
        retain_as_published: false,
    }
}

fn sessions(tree: &mut TopicTree, topic: &str) -> Vec<u32> {
    let mut matches = Matches::default();
    tree.collect_matches(topic, &mut matches);
    matches
        .subscribers
        .iter()
        .map(|subscriber| subscriber.session.0)
        .collect()
}

#[test]
fn overlapping_subscriptions_of_a_session_are_neighbours() {
    let mut tree = TopicTree::new();
    for session in [2, 1, 3] {
        for filter in ["a/#", "a/+", "a/b"] {
            assert!(tree.insert(filter, None, subscriber(session)));
        }
    }
    assert_eq!(sessions(&mut tree, "a/b"), [1, 1, 1, 2, 2, 2, 3, 3, 3]);
    assert_eq!(sessions(&mut tree, "a"), [1, 2, 3]);
}

#[test]
fn what_nobody_needs_is_freed() {
    let mut tree = TopicTree::new();
    let filters = ["a/b/c", "a/+/c", "a/#", "a", "", "/", "$share"];
    for round in 0..3 {
        for filter in filters {
            assert!(tree.insert(filter, None, subscriber(1)), "{round} {filter}");
            assert!(!tree.insert(filter, None, subscriber(1)));
            assert!(tree.insert(filter, Some("group"), subscriber(1)));
        }
        for filter in filters {
            assert!(tree.remove(filter, None, SessionIndex(1)));
            assert!(tree.remove(filter, Some("group"), SessionIndex(1)));
            assert!(!tree.remove(filter, None, SessionIndex(1)));
        }
        assert_eq!(
            tree.nodes.len() - tree.free.len(),
            1,
            "only the root is left"
        );
        assert_eq!(tree.levels.len(), 0);
        assert!(tree.child_by_edge.is_empty());
        assert!(tree.group_by_share.is_empty());
    }
}

#[test]
fn the_cache_says_what_the_tree_says() {
    let mut tree = TopicTree::new();
    let mut cache = MatchCache::default();
    let topic = TopicName::new("a/b").unwrap();
    tree.insert("a/+", None, subscriber(1));
    assert_eq!(cache.find(&topic, &mut tree).matches.subscribers.len(), 1);
    tree.insert("a/b", None, subscriber(2));
    cache.clear();
    assert_eq!(cache.find(&topic, &mut tree).matches.subscribers.len(), 2);
    assert_eq!(cache.find(&topic, &mut tree).matches.subscribers.len(), 2);
}

#[test]
fn the_cache_is_bounded_whatever_it_remembers() {
    let mut tree = TopicTree::new();
    for group in 0..1000 {
        tree.insert("#", Some(&group.to_string()), subscriber(1));
    }
    let mut cache = MatchCache::default();
    let mut most = 0;
    for number in 0..2000 {
        let topic = TopicName::new(format!("a/{number}")).unwrap();
        assert_eq!(cache.find(&topic, &mut tree).matches.groups.len(), 1000);
        most = most.max(cache.n_bytes);
    }
    let one = 1000 * size_of::<GroupRef>() + "a/1000".len();
    assert!(most > match_cache::BYTES_MAX / 2 && most <= match_cache::BYTES_MAX + one);
}

#[test]
fn the_turn_passes_through_a_group_that_changes() {
    let mut tree = TopicTree::new();
    for session in 0..3 {
        tree.insert("a", Some("group"), subscriber(session));
    }
    let mut matches = Matches::default();
    let mut turn = |tree: &mut TopicTree| {
        tree.collect_matches("a", &mut matches);
        let (members, turn) = tree.take_turn(matches.groups[0]);
        members[turn].session.0
    };
    assert_eq!(
        [
            turn(&mut tree),
            turn(&mut tree),
            turn(&mut tree),
            turn(&mut tree)
        ],
        [0, 1, 2, 0]
    );
    tree.remove("a", Some("group"), SessionIndex(2));
    tree.remove("a", Some("group"), SessionIndex(1));
    assert_eq!(turn(&mut tree), 0);
}

#[test]
fn groups_of_one_filter_are_found_wherever_they_have_moved() {
    let mut tree = TopicTree::new();
    let name = |number: u32| GroupName {
        share_name: number.to_string().into(),
        filter: "a".into(),
    };
    for number in 0..1000 {
        // A level of the same text is held apart.
        tree.insert(&number.to_string(), None, subscriber(0));
        tree.insert("a", Some(&number.to_string()), subscriber(number));
    }
    // From the front, so that each removal moves a group.
    for number in 0..1000 {
        assert!(tree.remove("a", Some(&number.to_string()), SessionIndex(number)));
        assert_eq!(tree.find_group(&name(number)), None);
        for left in [number + 1, 500, 999] {
            let Some(group) = tree.find_group(&name(left)) else {
                assert!(left <= number || left == 1000);
                continue;
            };
            assert_eq!(**tree.group_name(group), name(left));
            assert_eq!(tree.take_turn(group).0, [subscriber(left)]);
        }
    }
    assert!(tree.group_by_share.is_empty());
    assert_eq!(tree.levels.len(), 1000);
}

#[test]
fn a_group_among_ten_thousand_is_found_in_a_few_steps() {
    let mut tree = TopicTree::new();
    for number in 0..10_000 {
        tree.insert("a", Some(&number.to_string()), subscriber(number));
    }
    // As many buckets as a table of this size has at least; whatever shares one is looked at in turn.
    let mut n_in_bucket = vec![0; 16_384];
    for number in 0..10_000 {
        let share = tree.levels.find(&number.to_string()).unwrap();
        let node = tree.find_node("a").unwrap();
        let hash = tree.group_by_share.hasher().hash_one((node, share));
        n_in_bucket[usize::try_from(hash % 16_384).unwrap()] += 1;
    }
    let steps_max = n_in_bucket.iter().max();
    assert_eq!(tree.group_by_share.len(), 10_000);
    assert!(steps_max <= Some(&12), "{steps_max:?}");
}
