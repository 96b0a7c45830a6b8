//! What verifying a webhook's signature takes beside the bare HMAC, and whether its time tells where a wrong signature
//! begins to be wrong: a t-test by Welch between wrong first, middle and last bytes. The same test of a comparison that
//! stops at the first difference shows that it would be seen.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cintx::webhook::receive::Receiver;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use sha2::Sha256;

use crate::Result;

const SECRET: &str = "FP7UPZpATKBcYJj4va95PYud+a3gCidRERiLO+9MoFE=";
const TIME: &str = "1732526080";
/// Bytes of the body whose verification is held against the bare HMAC.
const BODY_BYTES: usize = 64 * 1024;
/// Bytes of the body of the timing test: few, so that the comparison is a large part of it.
const SHORT_BODY_BYTES: usize = 64;
const ROUNDS: usize = 40;
const CALLS_EACH: u32 = 50;
/// Measurements of each position.
const SAMPLES: usize = 200_000;
/// The positions of the wrong byte.
const POSITIONS: [usize; 3] = [0, 16, 31];
/// Beyond this, two means differ for sure: the usual limit of such tests.
const T_LIMIT: f64 = 4.5;

/// Prints both tables; fails if verification takes too long, or its time tells the position.
pub(crate) fn report() -> Result<()> {
    let share = throughput()?;
    println!("\n| comparison | bytes | t against the first byte |\n|---|---|---|");
    let (verified, stopped) = (timings(true)?, timings(false)?);
    let worst = |times: &[Vec<f64>; 3], name: &str| -> f64 {
        let values = [1, 2].map(|at| welch(&times[0], &times[at]));
        println!("| {name} | {}, {} | {:.2}, {:.2} |", POSITIONS[1], POSITIONS[2], values[0], values[1]);
        values.into_iter().map(f64::abs).fold(0.0, f64::max)
    };
    let (verification, control) = (worst(&verified, "verification"), worst(&stopped, "stops at the first difference"));
    if share < 0.9 {
        return Err(format!("verification has {share:.3} of the bare HMAC's throughput, expected 0.9").into());
    }
    if control <= T_LIMIT {
        return Err("the test does not see a comparison that stops early: the machine has too much else to do".into());
    }
    if verification > T_LIMIT {
        return Err(format!("the time of verification tells where the wrong byte is: |t| is {verification:.2}").into());
    }
    Ok(())
}

fn sign(body: &[u8]) -> Result<[u8; 32]> {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    Ok(mac.chain_update(TIME).chain_update(b".").chain_update(body).finalize().into_bytes().into())
}

fn headers(signature: &[u8; 32]) -> Result<HeaderMap> {
    let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut headers = HeaderMap::new();
    headers.insert("cint-signature", HeaderValue::from_str(&format!("t={TIME},v1={hex}"))?);
    Ok(headers)
}

/// How much of the bare HMAC's throughput verification has: the best of many rounds in turns.
fn throughput() -> Result<f64> {
    let body: Vec<u8> = (0..BODY_BYTES).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect();
    let (receiver, headers) = (Receiver::new(SECRET)?, headers(&sign(&body)?)?);
    let mut best = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..CALLS_EACH {
            black_box(sign(black_box(&body))?);
        }
        best[0] = best[0].min(began.elapsed());
        let began = Instant::now();
        for _ in 0..CALLS_EACH {
            black_box(receiver.verify_at(&headers, black_box(&body), Timestamp::UNIX_EPOCH)?);
        }
        best[1] = best[1].min(began.elapsed());
    }
    let rate = |time: Duration| BODY_BYTES as f64 * f64::from(CALLS_EACH) / time.as_secs_f64() / 1e6;
    let share = rate(best[1]) / rate(best[0]);
    println!("| 64 KiB | MB a second |\n|---|---|");
    println!("| bare HMAC-SHA-256 | {:.0} |\n| verification | {:.0} ({share:.3}) |", rate(best[0]), rate(best[1]));
    Ok(share)
}

/// Times in nanoseconds of wrong signatures, by the position of the wrong byte, measured in turns by chance. Either of
/// the verification or of a comparison that stops at the first difference.
fn timings(verification: bool) -> Result<[Vec<f64>; 3]> {
    let body = [b'x'; SHORT_BODY_BYTES];
    let (receiver, right) = (Receiver::new(SECRET)?, sign(&body)?);
    let wrong = POSITIONS.map(|position| {
        let mut signature = right;
        // Letters stay letters and digits digits, so that reading them takes the same time.
        signature[position] ^= 1;
        signature
    });
    let mut times: [Vec<f64>; 3] = Default::default();
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..SAMPLES * POSITIONS.len() {
        let which = rng.usize(0..POSITIONS.len());
        // Made anew each time: three that are kept would lie in places of their own, and each take its own time.
        let headers = headers(&wrong[which])?;
        let began = Instant::now();
        let accepted = match verification {
            true => receiver.verify_at(black_box(&headers), black_box(&body), Timestamp::UNIX_EPOCH).is_ok(),
            false => stops_early(&sign(black_box(&body))?, black_box(&wrong[which])),
        };
        let time = began.elapsed();
        if black_box(accepted) {
            return Err("a wrong signature was accepted".into());
        }
        times[which].push(time.as_nanos() as f64);
    }
    Ok(times.map(without_interruptions))
}

fn stops_early(right: &[u8; 32], given: &[u8; 32]) -> bool {
    right.iter().zip(given).all(|(one, other)| black_box(one) == black_box(other))
}

/// Without the slowest tenth: what came between is no part of the code.
fn without_interruptions(mut times: Vec<f64>) -> Vec<f64> {
    times.sort_by(f64::total_cmp);
    times.truncate(times.len() * 9 / 10);
    times
}

/// Welch's t of two samples.
fn welch(one: &[f64], other: &[f64]) -> f64 {
    let of = |sample: &[f64]| {
        let count = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / count;
        let squares: f64 = sample.iter().map(|value| (value - mean).powi(2)).sum();
        (mean, squares / (count - 1.0) / count)
    };
    let ((one, one_error), (other, other_error)) = (of(one), of(other));
    (one - other) / (one_error + other_error).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_that_differ_are_told_from_means_that_do_not() {
        let sample = |from: f64| -> Vec<f64> { (0..100).map(|at| from + f64::from(at % 10)).collect() };
        assert!(welch(&sample(0.0), &sample(0.0)).abs() < f64::EPSILON);
        assert!(welch(&sample(0.0), &sample(3.0)) < -T_LIMIT);
        assert_eq!(without_interruptions(vec![5.0, 1.0, 900.0, 2.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0]).last(), Some(&9.0));
    }
}
