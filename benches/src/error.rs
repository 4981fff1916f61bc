//! Why a bench could not say a figure. It prints it and ends; nothing here is worth matching on.

/// Why a bench could not say a figure.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    /// For this reason.
    pub fn because(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

macro_rules! failures {
    ($($error:ty: $what:literal),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self(format!(concat!($what, ": {}"), error))
            }
        })+
    };
}

failures! {
    std::io::Error: "input or output",
    weft::store::StoreError: "the store",
    weft::node::StartError: "the node did not start",
    weft_peer::Refusal: "the node refused",
    weft_invitation::LinkError: "the link",
    weft_echo::rows::RowError: "a derived row",
}
