use super::*;

fn token(token: &'static str) -> Result<Credentials, String> {
    Ok(Credentials {
        user_name: Some("grower".to_owned()),
        password: Some(token.into()),
    })
}

#[test]
fn fresh_credentials_are_asked_for_before_every_attempt() {
    let mut page = Page::new(asking());
    for (number, fresh) in ["first", "second", "third"].into_iter().enumerate() {
        assert_eq!(page.link, None);
        page.give_credentials(token(fresh));
        page.accept(number > 0);
        let connect = page.take_connect();
        assert_eq!(connect.user_name.as_deref(), Some("grower"));
        assert_eq!(connect.password.as_deref(), Some(fresh.as_bytes()));
        page.cut();
        page.wait_for_attempt();
    }
}

#[test]
fn credentials_that_cannot_be_had_are_told_in_words_and_asked_for_again() {
    let mut page = Page::new(asking());
    page.give_credentials(Err("signed out".to_owned()));
    assert_eq!(page.failure().to_string(), "no credentials: signed out");
    page.wait_for_attempt();
    page.give_credentials(token("fresh"));
    page.accept(false);
    assert!(page.status().is_connected());
}

#[test]
fn credentials_that_do_not_come_are_given_up() {
    let mut page = Page::new(asking());
    assert_eq!(page.deadline, Some(START + secs(10)));
    page.wait(secs(10));
    assert_eq!(*page.failure(), Failure::CredentialsTimeout);
    let words = "the credentials did not come in time";
    assert_eq!(page.failure().to_string(), words);
    // They come after all.
    page.give_credentials(token("late"));
    assert_eq!(page.n_opened, 0);
}

#[test]
fn the_time_for_credentials_is_not_taken_off_that_for_the_connection() {
    let mut page = Page::new(asking());
    page.wait(secs(9));
    page.give_credentials(token("fresh"));
    assert_eq!(page.deadline, Some(START + secs(19)));
}

#[test]
fn disconnecting_while_credentials_are_asked_for_makes_no_connection() {
    let mut page = Page::new(asking());
    page.supervisor.disconnect(page.now);
    page.turn();
    page.give_credentials(token("late"));
    assert_eq!((page.n_opened, page.deadline), (0, None));
}

#[test]
fn an_expired_token_is_replaced_and_a_wrong_one_is_not_tried_for_ever() {
    let mut page = Page::new(asking());
    page.give_credentials(token("expired"));
    page.refuse(ReasonCode::NotAuthorized);
    page.wait_for_attempt();
    page.give_credentials(token("fresh"));
    page.accept(false);
    page.cut();
    for wrong in [token("expired"), token("wrong")] {
        page.wait_for_attempt();
        page.give_credentials(wrong);
        page.refuse(ReasonCode::BadUserNameOrPassword);
        if matches!(page.status(), Status::Refused { .. }) {
            return;
        }
    }
    panic!("{:?}", page.status());
}
