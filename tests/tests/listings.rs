//! What scripts rely on: `smp … --output json` parses and keeps its shape, for every command
//! that lists, with real nodes; and the commands that messages name exist.

use system_tests::harness::{Region, wait};

#[test]
fn smoke() {
    let mut region = Region::of(&["E08000021", "E08000037", "E08000024"]);
    region.start_all();
    region.open_register("E08000021", "E08000037");
    region["E08000021"]
        .smp(&["pool", "place", "--rooms", "1", "--people", "2"])
        .ok();
    region.wait_agreed(wait::AGREEMENT);
    println!("{}", region["E08000024"].smp(&["status"]).ok().out);
    println!("{:#}", region["E08000021"].json(&["documents"]));
}
