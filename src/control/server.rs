//! The control socket: requests from commands, on a socket in the data directory that only its
//! owner can open.

use std::{
    fs, io,
    ops::ControlFlow,
    os::{fd::AsRawFd, unix::fs::PermissionsExt},
    path::Path,
    sync::Arc,
};

use actix_web::{App, HttpResponse, HttpServer, dev::Server, web};
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::{
    api::{Failure, Reply, Request},
    appliance::{Appliance, GoingOn, Requests},
    config::CONTROL_SOCKET,
    reading,
    report::RunState,
};

/// Lines made and not yet taken by whoever asked.
const LINES: usize = 32;

/// Listens in `data_dir` for requests to `appliance`, and counts them in `requests`.
///
/// # Errors
/// The socket cannot be made.
pub fn listen(data_dir: &Path, appliance: Arc<Appliance>, requests: Requests) -> io::Result<Server> {
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
        let requests = web::Data::new(requests.clone());
        App::new()
            .app_data(appliance)
            .app_data(requests)
            .route("/v1", web::post().to(answer))
    };
    let server = HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(1);
    Ok(server.listen_uds(listener)?.run())
}

async fn answer(
    appliance: web::Data<Appliance>,
    requests: web::Data<Requests>,
    request: web::Json<Request>,
) -> HttpResponse {
    let Some(going_on) = requests.begin() else {
        return HttpResponse::ServiceUnavailable().force_close().finish();
    };
    let replies = respond(appliance.into_inner(), request.into_inner(), Some(going_on.clone()));
    let lines = futures_util::stream::unfold((replies, going_on), |(mut replies, going_on)| async {
        let reply = replies.recv().await?;
        let line = serde_json::to_vec(&reply).map(|mut line| {
            line.push(b'\n');
            Bytes::from(line)
        });
        Some((line, (replies, going_on)))
    });
    HttpResponse::Ok().content_type("application/x-ndjson").streaming(lines)
}

/// Answers a request; the last reply is `Done` or `Failed`. A run goes on, and so does `going_on`, also
/// where whoever asked for it is gone.
pub fn respond(appliance: Arc<Appliance>, request: Request, going_on: Option<GoingOn>) -> mpsc::Receiver<Reply> {
    let (replies, answer) = mpsc::channel(LINES);
    if request.only_reads() {
        let read = move || {
            let mut emit = |reply| match replies.blocking_send(as_it_is_now(&appliance, reply)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            };
            let result = reading::answer(appliance.store(), &request, &mut emit);
            let _ = emit(last(result));
            drop(going_on);
        };
        actix_rt::task::spawn_blocking(read);
    } else {
        actix_rt::spawn(async move {
            let result = appliance.act(request, &replies).await;
            // Nobody reads it where the command was ended.
            let _ = replies.send(last(result)).await;
            drop(going_on);
        });
    }
    answer
}

/// Of a run that is going on, only its beginning is stored.
fn as_it_is_now(appliance: &Appliance, reply: Reply) -> Reply {
    match reply {
        Reply::Run(stored) if stored.state == RunState::Running => {
            Reply::Run(appliance.going_on(stored.run).map_or(stored, Box::new))
        }
        reply => reply,
    }
}

fn last(result: Result<(), Failure>) -> Reply {
    match result {
        Ok(()) => Reply::Done,
        Err(failure) => Reply::Failed(failure),
    }
}
