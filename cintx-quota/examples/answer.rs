//! Answers questions about tables, one in JSON on each line of standard input, with one line of JSON each: what
//! `compare/judge.py` and `compare/speed.py` drive.
//!
//! `{"ask": "solve", "lengths": [2, 2], "margins": [{"axes": [0], "counts": [5, 5]}, ..]}`; a margin may have `ranges`
//! and an `importance`, the question `least`, `most`, `seed`, `targets` and `completes`.

use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::time::Instant;

use cintx_quota::{Axis, Joint, SolveError, Table, TableBuilder};
use serde_json::{Value, json};

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line?)?;
        let table = match table(&question) {
            Ok(table) => table,
            Err(error) => {
                writeln!(out, "{}", json!({ "refused": error.to_string() }))?;
                continue;
            }
        };
        let started = Instant::now();
        let answer = answer(&table, &question);
        let seconds = started.elapsed().as_secs_f64();
        let mut answer = match answer {
            Ok(answer) => answer,
            // A change in field is held against what has happened, too.
            Err(SolveError::Infeasible(proof)) => {
                let (targets, completes) = (numbers(&question["targets"]), numbers(&question["completes"]));
                let asked = table.in_field(&targets, &completes, &[]).unwrap_or(table);
                json!({ "impossible": true, "proved": asked.confirms(&proof) })
            }
            Err(error) => json!({ "error": error.to_string() }),
        };
        answer["seconds"] = json!(seconds);
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

fn answer(table: &Table, question: &Value) -> Result<Value, SolveError> {
    let list = |name: &str| numbers(&question[name]);
    Ok(match question["ask"].as_str() {
        Some("rebalance") => {
            let plan = table.rebalance(&list("targets"), &list("completes"), &[])?;
            json!({
                "cells": plan.cells, "moved": plan.moved, "at_least": plan.at_least, "proved": plan.proved_smallest,
                "shut": plan.shut, "least_shut": plan.least_shut,
                "distortion": plan.distortion, "proportional": plan.proportional,
                "least_distorted": plan.least_distorted, "distortion_gap": plan.distortion_gap(),
            })
        }
        Some("smallest") => json!({ "value": table.largest_smallest_cell()? }),
        _ => {
            let solution = table.solve()?;
            let fit = solution.fit();
            json!({
                "cells": solution.cells(), "fit_error": fit.error, "converged": fit.converged,
                "deviation": solution.deviation(),
            })
        }
    })
}

fn table(question: &Value) -> Fallible<Table> {
    let lengths = numbers(&question["lengths"]);
    let margins = question["margins"].as_array().ok_or("margins are missing")?;
    let mut builder = Table::builder();
    for (axis, length) in lengths.iter().enumerate() {
        let labels = (0..*length).map(|at| at.to_string());
        let own = margins.iter().find(|margin| numbers(&margin["axes"]) == [axis as u64]);
        builder = builder.axis(match own {
            None => Axis::labels(axis.to_string(), labels),
            Some(margin) => {
                let own = Axis::counts(axis.to_string(), labels.zip(numbers(&margin["counts"])));
                match (ranges(margin), margin["importance"].as_f64()) {
                    (Some(ranges), importance) => own.ranges(ranges).importance(importance.unwrap_or(1.0)),
                    (None, Some(importance)) => own.importance(importance),
                    (None, None) => own,
                }
            }
        });
    }
    for margin in margins.iter().filter(|margin| numbers(&margin["axes"]).len() > 1) {
        let axes = numbers(&margin["axes"]).into_iter().map(|axis| axis.to_string());
        let mut joint = Joint::counts(axes, numbers(&margin["counts"]));
        if let Some(ranges) = ranges(margin) {
            joint = joint.ranges(ranges);
        }
        if let Some(importance) = margin["importance"].as_f64() {
            joint = joint.importance(importance);
        }
        builder = builder.joint(joint);
    }
    if let Some(seed) = question["seed"].as_array() {
        builder = builder.seed(seed.iter().filter_map(Value::as_f64));
    }
    let (least, most) = (numbers(&question["least"]), &question["most"]);
    let position = |mut cell: usize| -> Vec<usize> {
        let mut position = vec![0; lengths.len()];
        for (at, length) in position.iter_mut().zip(&lengths).rev() {
            *at = cell % *length as usize;
            cell /= *length as usize;
        }
        position
    };
    for (cell, least) in least.iter().enumerate().filter(|(_, least)| **least > 0) {
        builder = builder.at_least(position(cell), *least);
    }
    for (cell, most) in most.as_array().into_iter().flatten().enumerate() {
        builder = most
            .as_u64()
            .into_iter()
            .fold(builder, |builder: TableBuilder, most| builder.at_most(position(cell), most));
    }
    Ok(builder.build()?)
}

fn ranges(margin: &Value) -> Option<Vec<(u64, u64)>> {
    let pairs = margin["ranges"].as_array()?;
    pairs.iter().map(|pair| Some((pair[0].as_u64()?, pair[1].as_u64()?))).collect()
}

fn numbers(list: &Value) -> Vec<u64> {
    list.as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}
