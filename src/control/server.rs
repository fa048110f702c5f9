//! The control socket: requests from commands, on a socket in the data directory that only its
//! owner can open.

use std::{
    any::Any,
    fs, io,
    os::{fd::AsRawFd, unix::fs::PermissionsExt},
    path::Path,
    sync::Arc,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::{Extensions, Server},
    web,
};
use bytes::Bytes;
use tokio::net::UnixStream;

use crate::{
    access::{Caller, Owner},
    api::Request,
    appliance::{Answer, Appliance, Unanswered},
    config::CONTROL_SOCKET,
};

/// Bytes of a request at most: a table of users, say.
const LONGEST: usize = 16 << 20;

/// Listens in `data_dir` for requests to `appliance`.
///
/// # Errors
/// The socket cannot be made.
pub fn listen(data_dir: &Path, appliance: Arc<Appliance>) -> io::Result<Server> {
    // A socket's name is at most 108 bytes long; that of an open directory is short.
    let folder = fs::File::open(data_dir)?;
    let name = format!("/proc/self/fd/{}/{CONTROL_SOCKET}", folder.as_raw_fd());
    // The data directory is locked, so whoever left a socket there is gone.
    match fs::remove_file(&name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = std::os::unix::net::UnixListener::bind(&name)?;
    fs::set_permissions(&name, fs::Permissions::from_mode(0o600))?;
    let app = move || {
        let appliance = web::Data::from(appliance.clone());
        let json = web::JsonConfig::default().limit(LONGEST);
        App::new()
            .app_data(appliance)
            .app_data(json)
            .route("/v1", web::post().to(answer))
    };
    let server = HttpServer::new(app).on_connect(note_owner);
    let server = server.workers(1).disable_signals().shutdown_timeout(1);
    Ok(server.listen_uds(listener)?.run())
}

/// Notes with each connection that came in over the socket that the owner is at its other end.
#[expect(clippy::disallowed_methods, reason = "it serves the control socket")]
fn note_owner(connection: &dyn Any, noted: &mut Extensions) {
    if let Some(owner) = connection.downcast_ref::<UnixStream>().and_then(Owner::at) {
        noted.insert(owner);
    }
}

async fn answer(http: HttpRequest, appliance: web::Data<Appliance>, request: web::Json<Request>) -> HttpResponse {
    let Some(owner) = http.conn_data::<Owner>() else {
        return HttpResponse::Forbidden().finish();
    };
    let caller = Caller::Owner(owner.clone());
    match appliance.into_inner().answer(&caller, request.into_inner()).await {
        Ok(answer) => stream(answer),
        Err(Unanswered::Ending) => HttpResponse::ServiceUnavailable().force_close().finish(),
        Err(Unanswered::Refused(failure)) => HttpResponse::Forbidden().json(failure),
    }
}

/// The replies, a line of JSON each.
fn stream(answer: Answer) -> HttpResponse {
    let lines = futures_util::stream::unfold(answer, |mut answer| async {
        let reply = answer.next().await?;
        let line = serde_json::to_vec(&reply).map(|mut line| {
            line.push(b'\n');
            Bytes::from(line)
        });
        Some((line, answer))
    });
    HttpResponse::Ok().content_type("application/x-ndjson").streaming(lines)
}
