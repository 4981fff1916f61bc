//! The two manifests that a device brings when it comes into a space.

use weft_crypto::{DeviceId, Purpose, SignedManifest, SpaceId};

use crate::Malformed;

/// Checks that they are signed and are a control and a data feed of this device in this space.
pub(crate) fn verify(
    space: &SpaceId,
    device: &DeviceId,
    control: &SignedManifest,
    data: &SignedManifest,
) -> Result<(), Malformed> {
    for (signed, purpose) in [(control, Purpose::Control), (data, Purpose::Data)] {
        let manifest = signed.verify().map_err(Malformed::manifest("a newcomer's manifest"))?;
        let agree = manifest.space == *space && manifest.device == *device && manifest.purpose == purpose;
        if !agree {
            return Err(Malformed::Disagree { what: "a newcomer and its manifests" });
        }
    }
    Ok(())
}
