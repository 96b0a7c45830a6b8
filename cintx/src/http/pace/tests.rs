//! The adaptive pacer with a clock that is only counted: who waits for how long, in what order, and that nothing is
//! lost when those who wait go away.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use proptest::prelude::*;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::{AdaptivePacer, Observation, PaceRequest, Pacer, Permit, TooLate};

const PATIENT: Duration = Duration::from_secs(3_600);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn limited(retry_after: u64) -> Observation {
    Observation::RateLimited { retry_after: Some(seconds(retry_after)) }
}

fn at_once(pacer: &AdaptivePacer) -> Option<Permit> {
    pacer.acquire(PaceRequest::new(PATIENT)).now_or_never().map(Result::unwrap)
}

#[tokio::test(start_paused = true)]
async fn before_the_first_429_only_the_number_in_flight_is_limited() {
    let pacer = AdaptivePacer::with_max_in_flight(3);
    let mut permits: Vec<_> = (0..3).map(|_| at_once(&pacer).unwrap()).collect();
    assert!(at_once(&pacer).is_none());
    let pace = pacer.pace();
    assert_eq!((pace.requests_per_second, pace.in_flight, pace.max_in_flight), (None, 3, 3));
    permits.pop().unwrap().report(Observation::Answered);
    assert!(at_once(&pacer).is_some());
    // A permit that is dropped is given back.
    assert_eq!(pacer.pace().in_flight, 2);
    drop(permits);
    assert_eq!((pacer.pace().in_flight, pacer.pace().waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn no_retry_after_stops_a_client_for_ever() {
    let pacer = AdaptivePacer::new();
    at_once(&pacer).unwrap().report(limited(315_360_000));
    let permit = pacer.acquire(PaceRequest::new(PATIENT));
    drop(tokio::time::timeout(seconds(602), permit).await.unwrap().unwrap());
}

#[tokio::test(start_paused = true)]
async fn retry_after_stops_everything_until_it_is_over() {
    let pacer = AdaptivePacer::new();
    let under_way = at_once(&pacer).unwrap();
    at_once(&pacer).unwrap().report(limited(7));
    let began = Instant::now();
    let paused = pacer.pace().paused_for.unwrap();
    assert!(paused >= seconds(7) && paused <= seconds(8), "{paused:?}");
    // What is known to be too late is said at once, whoever is first in line.
    let waits = pacer.acquire(PaceRequest::new(seconds(3)));
    let late = waits.now_or_never().unwrap().unwrap_err();
    assert!(late.free_in().unwrap() >= seconds(7), "{late:?}");
    let waits = pacer.acquire(PaceRequest::new(PATIENT).with_max_pause(seconds(5)));
    assert!(waits.now_or_never().unwrap().is_err());
    let permit = pacer.acquire(PaceRequest::new(PATIENT)).await.unwrap();
    let waited = began.elapsed();
    assert!(waited >= seconds(7) && waited <= seconds(9), "{waited:?}");
    assert_eq!(pacer.pace().paused_for, None);
    drop((under_way, permit));
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_too_long_is_told_to_those_in_line() {
    let pacer = Arc::new(AdaptivePacer::with_max_in_flight(1));
    let under_way = at_once(&pacer).unwrap();
    let mut line = JoinSet::new();
    for within in [5, 10, 1_000] {
        let pacer = Arc::clone(&pacer);
        line.spawn(async move { (within, pacer.acquire(PaceRequest::new(seconds(within))).await.map(drop)) });
    }
    sleep(seconds(1)).await;
    let began = Instant::now();
    under_way.report(Observation::Overloaded { retry_after: Some(seconds(60)) });
    for _ in 0..2 {
        let (within, result) = line.join_next().await.unwrap().unwrap();
        assert!(result.is_err() && within < 60, "{within}");
    }
    assert!(began.elapsed() < seconds(1));
    assert_eq!(line.join_next().await.unwrap().unwrap(), (1_000, Ok(())));
    assert!(began.elapsed() >= seconds(60));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_waits_no_longer_than_agreed() {
    let pacer = AdaptivePacer::with_max_in_flight(1);
    let _under_way = at_once(&pacer).unwrap();
    let began = Instant::now();
    let late = pacer.acquire(PaceRequest::new(seconds(4))).await.unwrap_err();
    assert_eq!(late, TooLate::new(None));
    assert_eq!(began.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn they_leave_as_they_came_after_those_that_come_again() {
    let pacer = Arc::new(AdaptivePacer::with_max_in_flight(1));
    let under_way = at_once(&pacer).unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut line = JoinSet::new();
    for number in 0..20_u32 {
        let (pacer, order) = (Arc::clone(&pacer), Arc::clone(&order));
        line.spawn(async move {
            sleep(Duration::from_millis(number.into())).await;
            let again = number >= 15;
            let permit = pacer.acquire(PaceRequest::new(PATIENT).again(again)).await.unwrap();
            order.lock().unwrap().push(number);
            sleep(seconds(1)).await;
            permit.report(Observation::Answered);
        });
    }
    sleep(seconds(1)).await;
    assert_eq!(pacer.pace().waiting, 20);
    under_way.report(Observation::Answered);
    line.join_all().await;
    let expected: Vec<u32> = (15..20).chain(0..15).collect();
    assert_eq!(*order.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn an_api_that_does_not_keep_up_gets_fewer_at_once_and_then_more_again() {
    let pacer = AdaptivePacer::with_max_in_flight(10);
    for _ in 0..20 {
        let permits: Vec<_> = std::iter::from_fn(|| at_once(&pacer)).collect();
        sleep(seconds(1)).await;
        permits.into_iter().for_each(|permit| permit.report(Observation::Overloaded { retry_after: None }));
    }
    assert_eq!(pacer.pace().max_in_flight, 1);
    let mut limits = Vec::new();
    for _ in 0..60 {
        let permits: Vec<_> = std::iter::from_fn(|| at_once(&pacer)).collect();
        sleep(seconds(1)).await;
        permits.into_iter().for_each(|permit| permit.report(Observation::Answered));
        limits.push(pacer.pace().max_in_flight);
    }
    assert!(limits.is_sorted() && limits.last() == Some(&10), "{limits:?}");
    // Additively: never more than one more from one round to the next.
    assert!(limits.windows(2).all(|pair| pair[1] - pair[0] <= 1), "{limits:?}");
    assert_eq!(pacer.pace().requests_per_second, None);
}

/// Twenty in each second, by the clock of the test.
struct Gateway {
    began: Instant,
    seconds: Mutex<Vec<u32>>,
    late: AtomicU32,
}

impl Gateway {
    fn accepts(&self) -> bool {
        let second = self.began.elapsed().as_secs() as usize;
        let mut seconds = self.seconds.lock().unwrap();
        if seconds.len() <= second {
            seconds.resize(second + 1, 0);
        }
        seconds[second] += 1;
        let accepts = seconds[second] <= 20;
        self.late.fetch_add(u32::from(!accepts && second > 0), Ordering::Relaxed);
        accepts
    }
}

#[tokio::test(start_paused = true)]
async fn six_hundred_callers_pass_twenty_a_second() {
    let pacer = Arc::new(AdaptivePacer::new());
    let gateway = Arc::new(Gateway { began: Instant::now(), seconds: Mutex::default(), late: AtomicU32::default() });
    let mut callers = JoinSet::new();
    for _ in 0..600 {
        let (pacer, gateway) = (Arc::clone(&pacer), Arc::clone(&gateway));
        callers.spawn(async move {
            let mut again = false;
            loop {
                let permit = pacer.acquire(PaceRequest::new(PATIENT).again(again)).await.unwrap();
                sleep(Duration::from_millis(5)).await;
                let accepts = gateway.accepts();
                sleep(Duration::from_millis(5)).await;
                again = true;
                match accepts {
                    true => return permit.report(Observation::Answered),
                    false => permit.report(limited(1)),
                }
            }
        });
    }
    callers.join_all().await;
    let took = gateway.began.elapsed().as_secs_f64();
    let late = gateway.late.load(Ordering::Relaxed);
    println!("{took:.1} s, {late} turned away after the first second");
    assert!(took < 1.2 * 29.0, "{took}");
    assert!(late < 6, "{late}");
    let pace = pacer.pace();
    assert!(pace.requests_per_second.is_some_and(|rate| rate > 15.0 && rate < 25.0), "{pace:?}");
    assert_eq!((pace.in_flight, pace.waiting), (0, 0));
}

/// What one caller does: it waits so long at most, gives up after so long, needs so long, and is answered so.
fn caller() -> impl Strategy<Value = (u64, u64, u64, u64, u8)> {
    (0..2_000_u64, 1..20_000_u64, 0..8_000_u64, 0..500_u64, 0..8_u8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Callers go away at any point: before they have a turn, with a turn, with an answer on its way. Each of those
    /// that stay ends, and in the end nothing is taken.
    #[test]
    fn nothing_is_lost_when_callers_go_away(callers in prop::collection::vec(caller(), 1..60), most in 1..6_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let pacer = Arc::new(AdaptivePacer::with_max_in_flight(most));
            let mut all = JoinSet::new();
            for (comes, within, gives_up, needs, answer) in callers {
                let pacer = Arc::clone(&pacer);
                all.spawn(async move {
                    sleep(Duration::from_millis(comes)).await;
                    let call = async {
                        let request = PaceRequest::new(Duration::from_millis(within)).again(answer % 2 == 0);
                        let Ok(permit) = pacer.acquire(request).await else { return };
                        sleep(Duration::from_millis(needs)).await;
                        permit.report(match answer {
                            0 => limited(1),
                            1 => Observation::RateLimited { retry_after: None },
                            2 => Observation::Overloaded { retry_after: None },
                            _ => Observation::Answered,
                        });
                    };
                    let began = Instant::now();
                    let _ = timeout(Duration::from_millis(gives_up), call).await;
                    assert!(began.elapsed() <= Duration::from_millis(within + needs + 5));
                });
            }
            all.join_all().await;
            let pace = pacer.pace();
            assert_eq!((pace.in_flight, pace.waiting), (0, 0));
            let began = Instant::now();
            let permit = pacer.acquire(PaceRequest::new(PATIENT)).await.unwrap();
            permit.report(Observation::Answered);
            assert!(began.elapsed() < seconds(40), "{:?}", began.elapsed());
        });
    }
}
