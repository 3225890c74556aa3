//! Random lives of a volume against a plain model: whatever is written, discarded, released, lost for
//! want of room or killed, the live volume holds what was written and every open image what it held at
//! its instant, and the caches the pre-images that the open ones need, no more and no less.

mod life;
mod needs;
mod step;
#[path = "../world/mod.rs"]
mod world;

use life::Life;
use proptest::prelude::*;
use step::{Step, mend, step};

const SECTORS: usize = 8 * 96 + 3;

fn quietly(test: impl FnOnce()) {
    std::panic::set_hook(Box::new(|info| {
        let killed = info.payload().downcast_ref::<&str>() == Some(&"killed");
        if !killed {
            eprintln!("{info}");
        }
    }));
    test();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 4000, ..Default::default() })]

    #[test]
    fn images_and_live_volume_keep_their_contents(
        steps in prop::collection::vec(
            (prop_oneof![30 => step(), 1 => mend()], prop::option::weighted(0.3, 1i64..40)),
            1..40,
        ),
        four_k in any::<bool>(),
    ) {
        quietly(|| {
            let mut life = Life::new(if four_k { 4096 } else { 512 }, u64::MAX);
            for (step, fuse) in &steps {
                life.run(step, *fuse);
                life.check();
                life.check_changes();
                life.check_slots();
            }
            life.end();
        });
    }

    #[test]
    fn with_room_enough_no_image_is_ever_lost(
        steps in prop::collection::vec((step(), prop::option::weighted(0.2, 1i64..40)), 1..40),
    ) {
        quietly(|| {
            let mut life = Life::new(512, u64::MAX);
            for (step, fuse) in steps.iter().filter(|(s, _)| !matches!(s, Step::Room { .. })) {
                life.run(step, *fuse);
            }
            life.check();
            assert!(life.world.ledger.lost.lock().expect("lock").is_empty());
            life.end();
        });
    }
}
