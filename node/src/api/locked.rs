//! What a locked node answers: that it lives and is locked, and the passphrase that unlocks it. It has no store and no keys.
//!
//! Spec: NODE-3.3

use std::{future::IntoFuture, io, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{StatusCode, Uri},
    middleware,
    routing::{get, post},
};
use tokio::{
    net::TcpListener,
    sync::{Mutex, watch},
};
use zeroize::Zeroize;

use super::{
    error::{ApiError, too_large},
    guard::{self, Guard},
    health,
    identity::{LockBody, unreadable, wrong_passphrase},
    settings::Stopping,
    status,
};
use crate::identity::{self, IdentityError, PASSPHRASE_BYTES_MAX, Passphrase};

/// How long requests under way may take when the lock ends.
const GRACE: Duration = Duration::from_secs(1);

/// What ends a lock.
#[derive(Clone, Debug)]
pub(crate) enum Released {
    /// Somebody showed what opens the keys.
    By(Passphrase),
    /// The node is to stop.
    Stopped,
}

#[derive(Clone)]
struct Gate(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    released: watch::Sender<Option<Released>>,
    /// One attempt at a time: each takes the memory that a passphrase costs.
    trying: Mutex<()>,
}

/// Answers until the passphrase is shown or the node is to stop.
pub(crate) async fn serve(folder: PathBuf, listener: TcpListener, guard: Guard) -> io::Result<Released> {
    let released = watch::Sender::new(None);
    let mut waiting = released.subscribe();
    let gate = Gate(Arc::new(Inner { folder, released, trying: Mutex::new(()) }));
    let api = Router::new()
        .route("/version", get(status::version))
        .route("/identity/lock", post(lock))
        .route("/identity/unlock", post(unlock))
        .route("/stop", post(stop));
    let router = Router::new()
        .nest("/api/v1", api)
        .route("/healthz", get(health::alive))
        .fallback(locked)
        .method_not_allowed_fallback(locked)
        .layer(DefaultBodyLimit::max(PASSPHRASE_BYTES_MAX + 2))
        .with_state(gate)
        .layer(middleware::from_fn_with_state(guard, guard::admit));
    let mut told = waiting.clone();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = told.wait_for(Option::is_some).await;
    });
    let mut late = waiting.clone();
    let late = async {
        let _ = late.wait_for(Option::is_some).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = server.into_future() => served?,
        // Whoever holds a request half sent does not hold the node.
        () = late => {}
    }
    let released = waiting.wait_for(Option::is_some).await.ok().and_then(|released| released.clone());
    Ok(released.unwrap_or(Released::Stopped))
}

async fn unlock(
    State(Gate(gate)): State<Gate>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<LockBody>, ApiError> {
    let body = body.map_err(|_| too_large())?;
    let passphrase = Passphrase::read(&body).map_err(|error| {
        ApiError::bad_request("unfit_passphrase", error.to_string(), "send it as the body: one line of text")
    });
    // Nothing else has it, but for what the HTTP library read it from.
    if let Ok(mut body) = body.try_into_mut() {
        body.as_mut().zeroize();
    }
    let passphrase = passphrase?;
    let _one = gate.trying.lock().await;
    let folder = gate.folder.clone();
    let tried =
        tokio::task::spawn_blocking(move || identity::wrapping_key(&folder, Some(&passphrase)).map(|_| passphrase));
    match tried.await {
        Ok(Ok(passphrase)) => {
            gate.released.send_replace(Some(Released::By(passphrase)));
            Ok(Json(LockBody { locked: false }))
        }
        Ok(Err(IdentityError::WrongPassphrase)) => Err(wrong_passphrase()),
        Ok(Err(error)) => Err(unreadable(error)),
        Err(_) => Err(ApiError::unexpected()),
    }
}

async fn lock() -> Json<LockBody> {
    Json(LockBody { locked: true })
}

async fn stop(State(Gate(gate)): State<Gate>) -> Json<Stopping> {
    // Who shows the passphrase at the same time is too late.
    gate.released.send_replace(Some(Released::Stopped));
    Json(Stopping::new())
}

async fn locked(uri: Uri) -> ApiError {
    let status = if uri.path() == "/readyz" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::LOCKED };
    ApiError::new(
        status,
        "identity_locked",
        "the keys of this node are locked: it has left its peers and closed its store",
        "unlock it with `weft identity unlock`",
    )
}
