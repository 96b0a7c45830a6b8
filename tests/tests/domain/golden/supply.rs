//! Supply: shares, groups and blocks of a launched target group.

use cintx::supply::Supply;
use cintx::{SupplierId, Version};

use super::field::priced;
use crate::setup::Setup;

/// Everything that can be said of the supply.
pub fn everybody<V: Version>() -> Supply {
    let mut supply = Supply::open_exchange().exchange(20..=80).group("Partners", 10..=60, [12, 34]).block([56]);
    if V::DATE >= "2025-12-18" {
        supply = supply.private_group("Private", 5..=20, 78);
        supply.private.blocked.push(SupplierId::new(90));
    }
    supply
}

pub async fn calls<V: Version>(setup: &Setup<V>) {
    let group = priced(setup, &setup.project().await).await;
    // The older versions cannot remove a group.
    let present = group.supply().await.unwrap().groups;
    let mut more = everybody::<V>();
    more.groups.extend(present);
    group.set_supply(&more).await.unwrap();
    // The groups have ids by now, and the block is taken back.
    let mut less = group.supply().await.unwrap();
    less.groups.iter_mut().for_each(|group| group.share = 0..=40);
    less.blocked.clear();
    group.set_supply(&less).await.unwrap();
}
