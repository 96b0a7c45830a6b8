//! A rate that processes share: together they keep to it, and each gets as much as the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use cintx::http::pace::{Observation, PaceRequest, Pacer as _};
use cintx_postgres::{Database, PostgresPacer};

use crate::support::{database, number, open, part, play, start};

const PART: &str = "pace::four_processes_get_equal_shares_of_one_rate";
const RATE: f64 = 200.0;
const MINUTE: Duration = Duration::from_secs(60);

/// Takes turns as fast as it gets them, and says how many it got in a time that all have in common.
async fn take_turns(url: &str, argument: &str) {
    let [tasks, from, until] = argument.split(' ').map(|text| text.parse().unwrap()).collect::<Vec<u64>>()[..] else {
        panic!("{argument}")
    };
    let pacer = Arc::new(open(url).pacer("shared", RATE).unwrap());
    let count = Arc::new(AtomicU32::new(0));
    let time = |millis: u64| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let (pacer, count) = (Arc::clone(&pacer), Arc::clone(&count));
            tokio::spawn(async move {
                while SystemTime::now() < time(until) {
                    let permit = pacer.acquire(PaceRequest::new(MINUTE)).await.unwrap();
                    let now = SystemTime::now();
                    count.fetch_add(u32::from(time(from) <= now && now < time(until)), Ordering::SeqCst);
                    permit.report(Observation::Answered);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    println!("\nturns {}", count.load(Ordering::SeqCst));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_get_equal_shares_of_one_rate() {
    if let Some((url, argument)) = part() {
        return std::thread::spawn(move || play(take_turns(&url, &argument))).join().unwrap();
    }
    let Some((_, url)) = database().await else { return };
    let seconds = number("CINTX_FLEET_SECONDS", 2) as u64;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
    let (from, until) = (now + 1_500, now + 1_500 + seconds * 1_000);
    // One has much more to do than the others.
    let processes: Vec<_> =
        [30, 2, 2, 2].map(|tasks| start(PART, &url, &format!("{tasks} {from} {until}"))).into_iter().collect();
    let mut turns = Vec::new();
    for process in processes {
        let done = tokio::task::spawn_blocking(move || process.wait_with_output().unwrap()).await.unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        let count = text.lines().find_map(|line| line.strip_prefix("turns ")).expect(&text);
        turns.push(count.parse::<f64>().unwrap());
    }
    let (sum, squares): (f64, f64) = (turns.iter().sum(), turns.iter().map(|count| count * count).sum());
    let (index, rate) = (sum * sum / (4.0 * squares), sum / seconds as f64);
    println!("turns of each process in {seconds} s: {turns:?}, Jain's index {index:.4}, {rate:.1} a second of {RATE}");
    assert!(index >= 0.95, "{turns:?}");
    assert!(rate <= RATE * 1.05 + 5.0, "too many: {rate}");
    assert!(rate >= RATE * 0.5, "a machine with much else to do may lose some turns, not so many: {rate}");
}

/// Where each answer of the database takes long, one turn for each would be far below the rate.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_is_taken_at_once_where_the_database_is_slow() {
    let Some((database, url)) = database().await else { return };
    let pacer = Arc::new(database.pacer("far", RATE).unwrap());
    turn(&pacer, MINUTE).await.unwrap();
    // Somebody holds the row most of the time, so that every question waits.
    let slow = tokio::spawn(async move {
        let mut client = open(&url).pool().get().await.unwrap();
        loop {
            let transaction = client.transaction().await.unwrap();
            transaction.query("SELECT * FROM cintx.pace FOR UPDATE", &[]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(30)).await;
            transaction.commit().await.unwrap();
        }
    });
    let (began, count) = (Instant::now(), Arc::new(AtomicU32::new(0)));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (pacer, count) = (Arc::clone(&pacer), Arc::clone(&count));
            tokio::spawn(async move {
                while began.elapsed() < Duration::from_secs(2) {
                    turn(&pacer, MINUTE).await.unwrap();
                    count.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    slow.abort();
    let rate = f64::from(count.load(Ordering::SeqCst)) / began.elapsed().as_secs_f64();
    println!("{rate:.1} turns a second of {RATE}, 30 ms for each answer");
    assert!(rate >= RATE * 0.4, "one for each answer would be 33 a second: {rate}");
    assert!(rate <= RATE * 1.1 + 10.0, "too many: {rate}");
}

async fn turn(pacer: &PostgresPacer, within: Duration) -> Option<f64> {
    let began = Instant::now();
    let permit = pacer.acquire(PaceRequest::new(within)).await.ok()?;
    permit.report(Observation::Answered);
    Some(began.elapsed().as_secs_f64())
}

#[tokio::test]
async fn a_turn_that_comes_too_late_is_refused_at_once_and_one_that_is_given_up_is_not_lost() {
    let Some((database, url)) = database().await else { return };
    let one = database.pacer("slow", 0.4).unwrap();
    let other = open(&url).pacer("slow", 0.4).unwrap();
    let first = turn(&one, MINUTE).await.unwrap();
    let (began, second) = (Instant::now(), Duration::from_secs(1));
    let refused = other.acquire(PaceRequest::new(second)).await.unwrap_err();
    assert!(refused.free_in().unwrap() <= Duration::from_millis(2_500) && began.elapsed() < second, "after {first}");
    // Reserved, and given up while it waits.
    let given_up = tokio::time::timeout(Duration::from_millis(500), one.acquire(PaceRequest::new(MINUTE))).await;
    assert!(given_up.is_err());
    turn(&one, MINUTE).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(4), "it has the turn that was given up: {:?}", began.elapsed());
    assert_eq!(one.pace().requests_per_second, Some(0.4));
}

#[tokio::test]
async fn a_pause_that_one_is_told_holds_for_all() {
    let Some((database, url)) = database().await else { return };
    let (one, other) = (database.pacer("paused", 100.0).unwrap(), open(&url).pacer("paused", 100.0).unwrap());
    let permit = one.acquire(PaceRequest::new(MINUTE)).await.unwrap();
    permit.report(Observation::RateLimited { retry_after: Some(Duration::from_millis(800)) });
    tokio::time::sleep(Duration::from_millis(150)).await;
    let waited = turn(&other, MINUTE).await.unwrap();
    assert!(waited > 0.4, "{waited}");
}

#[tokio::test]
async fn without_the_database_a_process_goes_by_its_own_pace() {
    let away = Database::new("host=127.0.0.1 port=1 user=cintx connect_timeout=1").unwrap();
    let pacer = away.pacer("p", 1.0).unwrap();
    let began = Instant::now();
    for _ in 0..20 {
        assert!(turn(&pacer, MINUTE).await.is_some());
    }
    assert!(began.elapsed() < Duration::from_secs(10));
}
