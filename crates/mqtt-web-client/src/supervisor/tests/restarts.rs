//! A broker that restarts, with many clients and with what was in flight.

use super::*;

const N_CLIENTS: u32 = 1000;

/// When each of many clients was connected again, counted from the moment at which the broker was back.
fn returns(is_visible: bool, downtime: Duration) -> Vec<Duration> {
    let mut returns: Vec<Duration> = (1..=u64::from(N_CLIENTS))
        .map(|number| {
            // Seeds are far apart, as browsers' are.
            let mut page = Page::with_seed(options(), number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            page.accept(false);
            page.supervisor.handle_page_event(is_visible, page.now);
            page.wait(secs(3600));
            page.receive(&Packet::Pingresp);
            page.cut();
            let back_at = page.now + downtime;
            loop {
                page.wait_for_attempt();
                if page.now >= back_at {
                    break;
                }
                page.link(LinkEvent::Closed(Failure::Unreachable));
            }
            page.accept(false);
            assert!(page.status().is_connected());
            page.now.saturating_duration_since(back_at)
        })
        .collect();
    returns.sort();
    returns
}

/// The most that came within one second.
fn peak(returns: &[Duration]) -> usize {
    let within_1_s = |(index, first): (usize, &Duration)| {
        let rest = returns[index..].iter();
        rest.take_while(|other| **other < *first + secs(1)).count()
    };
    returns.iter().enumerate().map(within_1_s).max().unwrap()
}

/// Waits of 0 to `bound` make attempts at a rate of 2 / `bound` each, spread evenly once a few have failed.
/// Four standard deviations above that are allowed.
fn peak_max(bound: Duration) -> usize {
    let rate = f64::from(N_CLIENTS) * 2.0 / bound.as_secs_f64();
    (rate + 4.0 * rate.sqrt()) as usize
}

#[test]
fn a_thousand_clients_come_back_spread_over_the_longest_wait() {
    for (is_visible, downtime, bound) in [
        (true, secs(10), secs(4)),
        (true, secs(600), secs(4)),
        (false, secs(600), secs(30)),
    ] {
        let returns = returns(is_visible, downtime);
        let peak = peak(&returns);
        println!(
            "{peak} a second at the most, all back after {:?}",
            returns.last()
        );
        assert!(peak <= peak_max(bound), "{peak} in one second");
        assert!(returns.last().is_some_and(|last| *last <= bound));
    }
}

#[test]
fn a_thousand_clients_of_a_broker_that_is_back_at_once_come_within_the_first_wait() {
    let returns = returns(true, Duration::ZERO);
    let first_bound = Duration::from_millis(250);
    assert!(returns.last().is_some_and(|last| *last <= first_bound));
    let early = returns.iter().filter(|wait| **wait < first_bound / 2);
    let n_early = early.count();
    assert!((400..600).contains(&n_early), "{n_early} in the first half");
}

#[test]
fn a_broker_that_kept_its_state_goes_on_where_it_was() {
    let mut page = Page::connected(options());
    page.subscribe(&["a"]);
    let packet_identifier = page.take_subscribes()[0].0;
    page.grant(packet_identifier, 1);
    let mut receipt = page.publish(waiting("1"));
    page.turn();
    page.take_sent();
    page.reconnect(true);
    let sent = page.take_sent();
    let [Packet::Connect(_), Packet::Publish(publish)] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert!(publish.dup);
    let number = publish.packet_identifier.unwrap().value();
    page.acknowledge(number);
    assert_eq!(receipt.take(), Some(Ok(ReasonCode::Success)));
}

#[test]
fn a_broker_that_lost_its_state_gets_everything_anew() {
    let mut page = Page::connected(options());
    page.subscribe(&["a"]);
    let packet_identifier = page.take_subscribes()[0].0;
    page.grant(packet_identifier, 1);
    let mut receipt = page.publish(waiting("1"));
    page.turn();
    page.take_sent();
    page.reconnect(false);
    let mut kinds = Vec::new();
    for packet in page.take_sent() {
        if let Packet::Publish(publish) = packet {
            assert!(!publish.dup);
            kinds.push("PUBLISH");
            page.acknowledge(publish.packet_identifier.unwrap().value());
        } else if let Packet::Subscribe(_) = packet {
            kinds.push("SUBSCRIBE");
        }
    }
    kinds.sort_unstable();
    assert_eq!(kinds, ["PUBLISH", "SUBSCRIBE"]);
    assert_eq!(receipt.take(), Some(Ok(ReasonCode::Success)));
}
