// SIP.js over WebSocket. Usage: node presence.js PORT
//
// Alice and bob register with their passwords, bob watches alice, she publishes three times, he goes, both leave.
// What happens is printed as JSON, one a line.

import WebSocket from "ws";
import {
  Publisher,
  Registerer,
  RegistererState,
  Subscriber,
  SubscriptionState,
  UserAgent,
} from "sip.js";

globalThis.WebSocket = WebSocket; // Node 18 and 20 have none of their own
const PATIENCE = 10_000; // milliseconds for each thing that is waited for
const port = process.argv[2];

function tell(what) {
  console.log(JSON.stringify(what));
}

// A promise of something that may not take too long.
function within(what, begin) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing came: ${what}`)), PATIENCE);
    begin((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}

function becomes(emitter, state) {
  return within(state, (done) => emitter.stateChange.addListener((now) => now === state && done()));
}

function uri(name) {
  return UserAgent.makeURI(`sip:${name}@127.0.0.1:${port}`);
}

async function agentOf(name) {
  const agent = new UserAgent({
    uri: uri(name),
    authorizationUsername: name,
    authorizationPassword: `of-${name}`,
    transportOptions: { server: `ws://127.0.0.1:${port}` },
    logLevel: "error",
  });
  await agent.start();
  return agent;
}

async function register(name, agent) {
  const registerer = new Registerer(agent, { expires: 600 });
  const registered = becomes(registerer, RegistererState.Registered);
  await registerer.register();
  await registered;
  tell({ who: name, state: registerer.state });
  return registerer;
}

async function unregister(name, registerer) {
  const gone = becomes(registerer, RegistererState.Unregistered);
  await registerer.unregister();
  await gone;
  tell({ who: name, state: registerer.state });
}

function document(status) {
  return (
    '<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@127.0.0.1">' +
    `<tuple id="a"><status><basic>${status}</basic></status></tuple></presence>`
  );
}

const alice = await agentOf("alice");
const bob = await agentOf("bob");
const registerers = [await register("alice", alice), await register("bob", bob)];

const seen = [];
let heard = () => {};
const watching = new Subscriber(bob, uri("alice"), "presence", { expires: 600 });
watching.delegate = {
  onNotify: (notification) => {
    notification.accept();
    const basic = /<basic>(\w+)</.exec(notification.request.body);
    seen.push(basic === null ? "" : basic[1]);
    tell({ who: "bob", sees: seen.at(-1), state: notification.request.getHeader("Subscription-State") });
    heard();
  },
};
const subscribed = becomes(watching, SubscriptionState.Subscribed);
await watching.subscribe();
await subscribed;
tell({ who: "bob", state: watching.state });

const publisher = new Publisher(alice, uri("alice"), "presence", {
  body: document("open"),
  contentType: "application/pidf+xml",
  expires: 600,
});
for (const status of ["open", "closed", "open"]) {
  await within(`${status} at bob`, (done) => {
    heard = () => seen.at(-1) === status && done();
    publisher.publish(document(status));
  });
}

await within("closed at bob", (done) => {
  heard = () => seen.at(-1) !== "open" && done();
  publisher.unpublish();
});
const ended = becomes(watching, SubscriptionState.Terminated);
await watching.unsubscribe();
await ended;
tell({ who: "bob", state: watching.state });

await unregister("alice", registerers[0]);
await unregister("bob", registerers[1]);
await alice.stop();
await bob.stop();
