// Made of node/openapi.json by generate.mjs; do not edit.

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** That the process lives. */
export type Alive = {
  /** Always true. */
  alive: boolean;
};

/** A value that does not show because another, written at the same time, does. */
export type Alternative = {
  /** Who wrote it. */
  author: string;
  /** The property. */
  key: string;
  /** What was written; none when it was taken away. */
  value: Json;
};

/** Where a record is. */
export type Appended = {
  /** This device's data feed. */
  feed: string;
  /** Its place in the feed. */
  seq: number;
  /** The space. */
  space: string;
};

/** Links that were taken back. */
export type CancelledDeviceLinks = {
  /** How many; those that were used are not among them. */
  cancelled: number;
};

/** Somebody. */
export type ContactBody = {
  /** The root key. */
  identity: string;
  /** What it calls itself, in whichever space of this node. */
  names: string[];
  /** What the owner of this node calls it. */
  petname?: string | null;
  /** Sixty digits of both identities: the same at both, if nobody stands between. Compare them by telephone, or side by side. */
  safety_number: string;
  /** The spaces of this node in which it is a member. */
  spaces: string[];
  /** When the owner of this node said that the safety numbers are the same, RFC 3339; none when it has not. */
  verified?: string | null;
};

/** What is to be kept of somebody. */
export type ContactChange = {
  /** What the owner of this node calls it from now on; at most 128 bytes. */
  petname?: string | null;
  /** Whether the owner of this node has compared the safety number. */
  verified?: boolean | null;
};

/** Everybody of whom something is kept. */
export type Contacts = {
  /** In the order of their root keys. */
  contacts: ContactBody[];
};

/** An act that has cut a feed. */
export type Cutting = {
  /** Its id. */
  act: string;
  /** Who says so. */
  by?: string | null;
  /** What to call that one. */
  by_name?: string | null;
  /** `member_removed`, `role_changed`, `device_removed` or `feed_closed`. */
  kind: string;
};

/** What was said of a newcomer. */
export type Decided = {
  /** Whether it was let in. */
  approved: boolean;
  /** The invitation. */
  invitation: string;
  /** The newcomer's root key. */
  newcomer: string;
  /** The space. */
  space: string;
};

/** What is said of a newcomer. */
export type Decision = {
  /** True lets it in, false turns it away. */
  approve: boolean;
};

/** A space that was deleted from this device, or would be. */
export type DeletedSpace = {
  /** Whether nothing was deleted. */
  dry_run: boolean;
  /** Whether the connected members hold all that is held here, as far as they say. */
  level: boolean;
  /** What it is called. */
  name?: string | null;
  /** How many devices of members there are beside this one: each holds what it has got of the space. */
  others: number;
  /** What this identity is there; none when it is no member. */
  role?: string | null;
  /** The space. */
  space: string;
};

/** A device of this identity. */
export type Device = {
  /** Whether it is connected. */
  connected: boolean;
  /** As libp2p names it. */
  device: string;
  /** How many spaces it holds that this device still lacks; none as long as it has not said what it holds. */
  lacking?: number | null;
  /** Whether it is this one. */
  me: boolean;
  /** What it calls itself, as far as it has said so here. */
  name?: string | null;
  /** Whether this device was told to remove it. It may still be in spaces from which this one may not remove it. */
  removed: boolean;
  /** Whether it gets the spaces of this identity; false for this one, and for one that was removed. */
  sibling: boolean;
  /** The spaces of this device in which it is. */
  spaces: string[];
};

/** A link for another device. */
export type DeviceLink = {
  /** Until when it can be used, RFC 3339. */
  expires: string;
  /** Its id. */
  id: string;
  /** The device that used it, as libp2p names it. */
  used_by?: string | null;
};

/** What this device is to be called. */
export type DeviceName = {
  /** At most 128 bytes. Only this identity's devices see it. */
  name: string;
};

/** The devices of this identity. */
export type Devices = {
  /** This one first. */
  devices: Device[];
  /** Links of this device by which another one can become one of this identity, or became it. */
  links: DeviceLink[];
};

/** A draft. */
export type DraftBody = {
  /** What is to be changed, and how. */
  change: Json;
  /** Its number. */
  draft: number;
  /** When it was kept, RFC 3339. */
  kept: string;
  refused?: Reason | null;
};

/** A draft that is gone. */
export type DraftDropped = {
  /** The draft. */
  dropped: number;
  /** The space. */
  space: string;
};

/** A change that could not be written yet is kept, and made when it can be. */
export type DraftKept = {
  /** The numbers of the drafts that were kept. */
  drafts: number[];
  /** The space. */
  space: string;
  /** What they wait for. */
  waits_for: string;
};

/** The drafts of a space. */
export type Drafts = {
  /** In the order in which they were kept. */
  drafts: DraftBody[];
  /** Whether this device may write by now, so that only what was refused stays. */
  ends_known: boolean;
  /** The space. */
  space: string;
};

/** What the header of an entry says. Nothing of it is secret to whoever holds the feed; bodies of data entries are sealed. */
export type EntryBody = {
  /** The bytes of its body as stored. */
  bytes: number;
  /** When it was written, as its author says, RFC 3339. */
  claimed: string;
  /** How many feeds it names the heads of, because they grew since the entry before. */
  deps: number;
  /** Whether the body is held; it can be erased. */
  held: boolean;
  /** `control`, `mutation`, `record` or `merge`. */
  kind: string;
  /** Its place in the feed. */
  seq: number;
};

/** The body of an answer that is no success. */
export type ErrorBody = {
  /** Why. */
  error: Reason;
};

/** Something that happened. */
export type EventBody = {
  /** How many. */
  count?: number | null;
  /** What: `space_added`, `space_removed`, `extended`, `peer_holds`, `object_changed`, `quarantined`, `peer_connected`, `peer_disconnected`, `level_changed`, `violated`, `newcomer_waits`, `damaged`, `mended`, `ends_known`, `stopped`, `replaced`, or `lagged` when this reader was too slow and `count` events are missing. */
  event: string;
  /** The feed it happened to. */
  feed?: string | null;
  /** The invitation by which a newcomer came. */
  invitation?: string | null;
  /** The length of the feed now. */
  length?: number | null;
  /** Whether the space is level now. */
  level?: boolean | null;
  /** Whether this node wrote it. */
  mine?: boolean | null;
  /** The object it happened to. */
  object?: string | null;
  /** The peer it happened with. */
  peer?: string | null;
  /** The rule that was broken. */
  reason?: string | null;
  /** The entry. */
  seq?: number | null;
  /** The space it happened in. */
  space?: string | null;
  /** When it was told, RFC 3339. */
  time: string;
};

/** A feed. */
export type FeedBody = {
  /** Bytes held: headers and bodies. */
  byte_length: number;
  /** The device that writes it, as libp2p names it. */
  device: string;
  /** Some of its entries, in order, where it is shown by itself. */
  entries?: EntryBody[] | null;
  /** Its id. */
  feed: string;
  /** The identity of that device. */
  identity?: string | null;
  /** Entries held. */
  length: number;
  /** Whether this node writes it. */
  mine: boolean;
  /** What that device calls itself. */
  name?: string | null;
  /** `control` or `data`. */
  purpose: string;
  /** Entries whose causal past is here and which have been replayed. */
  replayed: number;
  /** The Merkle root over what is held. */
  root: string;
  /** The space it belongs to. */
  space: string;
  /** Why nothing more is accepted, if that is so. */
  stopped?: string | null;
};

/** The feeds of a space. */
export type Feeds = {
  /** Each device has two: control and data. */
  feeds: FeedBody[];
  /** The space. */
  space: string;
};

/** A file of a space. */
export type FileRow = {
  /** The identity that made it. */
  author: string;
  /** When, as its author says, RFC 3339. */
  created: string;
  /** Its object. */
  object: string;
  /** Its property `path`, exactly as somebody wrote it: not fit for a file system before it was checked. None when it is no text or longer than 4,096 bytes. */
  path?: string | null;
  /** The length of its text in bytes of UTF-8. */
  text_bytes: number;
  /** BLAKE3 of its text in UTF-8, in hex. */
  text_hash: string;
};

/** Who follows, and how far it is. */
export type Follow = {
  /** What `attached` said before, when this is not the first time. */
  derivation?: number | null;
  /** What was given with the session. */
  key: string;
  /** What the document holds: its Yjs state vector (v1), base64. Nothing: it is empty. */
  vector?: string;
};

/** The last line of the answer: the text equals the end of the trace. */
export type Imported = {
  /** In how many entries. */
  entries: number;
  /** The new object. */
  object: string;
  /** How many operations were carried out. */
  operations: number;
  /** How long it took. */
  seconds: number;
  /** The space it is in. */
  space: string;
};

/** An invitation. */
export type Invitation = {
  /** Whether somebody has to approve each newcomer. */
  approve: boolean;
  /** Whether that is over, by this node's clock. */
  expired: boolean;
  /** Until when it can be used, RFC 3339. */
  expires: string;
  /** Whether this device lets newcomers in by it. */
  hosted: boolean;
  /** Its id. */
  invitation: string;
  /** The identity that issued it. */
  issuer: string;
  /** What to call the issuer. */
  issuer_name?: string | null;
  /** How many still can. */
  left: number;
  /** The identities that joined by it. */
  redeemed: string[];
  /** Whether this identity may take it back. */
  revocable: boolean;
  /** Whether it was taken back, or ended with its issuer. */
  revoked: boolean;
  /** What a newcomer becomes. */
  role: string;
  /** The space. */
  space: string;
  /** What the space is called. */
  space_name?: string | null;
  /** How many did. */
  used: number;
  /** How many people can join by it. */
  uses: number;
  /** Who waits at this device to be approved. */
  waiting: Newcomer[];
};

/** Invitations. */
export type Invitations = {
  /** Space by space, in the order of their ids. */
  invitations: Invitation[];
};

/** The link that was issued. Whoever has it can join, as often as it has uses. */
export type Invited = {
  /** Whether somebody has to approve each of them. */
  approve: boolean;
  /** Until when it can be used, RFC 3339. */
  expires: string;
  /** The devices that let newcomers in, this one first, as libp2p names them. */
  hosts: string[];
  /** The invitation's id. */
  invitation: string;
  /** `weft-invite:…` */
  link: string;
  /** What the newcomer will be. */
  role: string;
  /** The space. */
  space: string;
  /** How many people can join by it. */
  uses: number;
};

/** The membership that is now durable here. */
export type Joined = {
  /** Whether this identity was a member before. */
  already: boolean;
  /** The identity that issued the link. */
  inviter: string;
  /** What this identity is there. */
  role: string;
  /** What the link says its issuer is called, if it says so. */
  says_inviter?: string | null;
  /** What the link says the space is called, if it says so. */
  says_space?: string | null;
  /** The space. */
  space: string;
};

/** A link to be redeemed. */
export type Joining = {
  /** `weft-invite:…` */
  link: string;
};

/** How the keys are protected on disk, and what changes it. */
export type KeysBody = {
  /** The command that changes it. */
  command: string;
  /** `file_permissions`: who can read the data folder has them; `passphrase`: it has to be guessed as well. */
  protection: string;
};

/** A space that was left, or would be. */
export type Left = {
  /** What to call those of them who administer, each by its name or else its root key. */
  administer: string[];
  /** Whether nothing was written. */
  dry_run: boolean;
  /** What it is called. */
  name?: string | null;
  /** How many others stay. */
  others: number;
  /** What this identity was there. */
  role: string;
  /** The space. */
  space: string;
};

/** The space is level. */
export type Level = {
  /** Always true. */
  level: boolean;
  /** The space. */
  space: string;
  /** The peers it is level with. */
  with: string[];
};

/** A line of the answer. */
export type Line = Progress | Imported | ErrorBody;

/** Whether the keys are locked. */
export type LockBody = {
  /** Whether they are, as soon as this was answered. */
  locked: boolean;
};

/** The link that was made. Whoever uses it first is a device of this identity. */
export type MadeDeviceLink = {
  /** Until when it can be used, RFC 3339. */
  expires: string;
  /** By which it is listed. */
  id: string;
  /** `weft-device:…` */
  link: string;
};

/** The space that was made. */
export type MadeSpace = {
  /** Its name. */
  name: string;
  /** Its id. */
  space: string;
};

/** A member. */
export type Member = {
  /** Who issued the invitation it came by; none for the founder. */
  admitted_by?: string | null;
  /** Its devices, as libp2p names them. */
  devices: string[];
  /** Its root key. */
  identity: string;
  /** Whether it is the identity of this node. */
  me: boolean;
  /** What it calls itself. */
  name?: string | null;
  /** What the owner of this node calls it. */
  petname?: string | null;
  /** `reader`, `writer`, `admin`, `owner` or `keeper`. */
  role: string;
  /** Those of them that are not known to have heard of the newest change of members. */
  unheard: string[];
  /** Whether the owner of this node has compared the safety number with it. */
  verified: boolean;
};

/** A change of members: what was done, or what would be. */
export type MemberChange = {
  /** Its role from then on; none: it is no member any more. */
  becomes?: string | null;
  /** Whether it counts at once; else it waits until enough stand behind it. */
  counts: boolean;
  /** How many devices it has. */
  devices: number;
  /** Whether nothing was written. */
  dry_run: boolean;
  /** Whom it is about. */
  identity: string;
  /** What to call that member. */
  name?: string | null;
  /** Entries of the member that connected peers claim to hold and this device does not: what it loses a right to is hidden of them. */
  not_held: number;
  /** By this id others stand behind it, where it does not count at once. */
  proposal?: string | null;
  /** Its role before. */
  role: string;
  /** The space. */
  space: string;
  /** What the space is called. */
  space_name?: string | null;
  /** Whether it takes a right from that member. */
  takes: boolean;
  /** Devices of those who stay that are not known to have heard of it yet. */
  unheard: Unheard[];
  /** How many have to stand behind it where it does not count at once. */
  votes: Votes;
  /** Entries of the member that are held here and wait for others: they stand, and are not shown yet. */
  waiting: number;
};

/** The members of a space, and what is proposed about them. */
export type Members = {
  /** By seniority. */
  members: Member[];
  /** Removals and roles that count once more than half of those who administer stand behind them. */
  proposals: Proposal[];
  /** The space. */
  space: string;
};

/** A link to be made. */
export type NewDeviceLink = {
  /** How long the link can be used, in milliseconds; at most 7 days. Default 10 minutes. */
  expires_ms?: number | null;
};

/** A link to be issued. */
export type NewInvitation = {
  /** Whether somebody here has to approve each of them. Default false. */
  approve?: boolean | null;
  /** How long the link can be used, in milliseconds; at most 366 days. Default 24 hours. */
  expires_ms?: number | null;
  /** What the newcomer will be: `reader`, `writer`, `admin` or `owner`. Default `writer`. */
  role?: string | null;
  /** How many people can join by it, 1 to 10,000. Default 1. */
  uses?: number | null;
};

/** An object to be made. */
export type NewObject = {
  /** Its properties, any JSON values. */
  properties?: Json;
  /** Its first text. */
  text?: string | null;
  /** What sort of object it is, 1 to 128 bytes. */
  type: string;
};

/** Another policy. */
export type NewPolicy = {
  /** `all`, or `from_joining`. */
  history: string;
};

/** A name for this identity. */
export type NewProfile = {
  /** What members of its spaces see from now on; at most 128 bytes. */
  name: string;
};

/** A role to be given. */
export type NewRole = {
  /** Only say what would be done. Default false. */
  dry_run?: boolean | null;
  /** Write it also where it counts only once more than half of those who administer stand behind it. Default false. */
  propose?: boolean | null;
  /** `reader`, `writer`, `admin` or `owner`. */
  role: string;
};

/** A space to be made. */
export type NewSpace = {
  /** What people call it; at most 128 bytes. */
  name: string;
};

/** A newcomer that waits. */
export type Newcomer = {
  /** Twenty digits of its root key. Let the newcomer read its own to you, by telephone for instance, before you approve. */
  digits: string;
  /** Its root key: by this it is named. */
  identity: string;
  /** Its device, as libp2p names it. */
  peer_id: string;
  /** Since when it waits, RFC 3339. */
  since: string;
};

/** A space in which a name could not be said. */
export type NotSaid = {
  /** Why. */
  reason: string;
  /** The space. */
  space: string;
};

/** Something that the owner should look after. */
export type Note = {
  /** The command that does it. */
  command: string;
  /** What. */
  note: string;
};

/** An object. */
export type ObjectBody = {
  /** What others wrote into a property at the same time; the same value shows everywhere. */
  alternatives: Alternative[];
  /** The identity that made it. */
  author: string;
  /** When, as its author says, RFC 3339. */
  created: string;
  /** Its id. */
  object: string;
  /** Its properties. */
  properties: Json;
  /** The space it is in. */
  space: string;
  /** Its text. */
  text: string;
  /** What sort of object it is. */
  type: string;
};

/** What to change of an object. */
export type ObjectChange = {
  /** The text that `text` was made from. What others changed since then stays; without it, `text` is all there is to be. */
  base?: string | null;
  /** Properties to set. */
  properties?: Json;
  /** What its text is to become; only what differs is written. */
  text?: string | null;
  /** Properties to take away. */
  unset?: string[];
};

/** An object that was made or changed; durable here. */
export type ObjectName = {
  /** Its id. */
  object: string;
  /** The space it is in. */
  space: string;
};

/** An object in a list. */
export type ObjectRow = {
  /** The identity that made it. */
  author?: string | null;
  /** When, as its author says, RFC 3339. */
  created: string;
  /** Its property `name`. */
  name?: string | null;
  /** Its id. */
  object: string;
  /** What sort of object it is. */
  type: string;
};

/** The objects of a space. */
export type Objects = {
  /** By type, then name, then id. */
  objects: ObjectRow[];
  /** The space. */
  space: string;
};

/** Replace `delete` characters from `position` by `insert`. Characters are Unicode scalar values. */
export type Operation = {
  /** How many characters go. Default 0. */
  delete?: number;
  /** What comes in their place. Default nothing. */
  insert?: string;
  /** Where, counted from 0 in the text as the operations before this one left it. */
  position: number;
};

/** What the page shows with every request. */
export type PageToken = {
  /** A bearer token that can read and invite, until the node stops. */
  token: string;
};

/** A connected member. */
export type PairBody = {
  /** Whether both hold the same. */
  level: boolean;
  /** What it calls itself. */
  name?: string | null;
  /** As libp2p names it. */
  peer_id: string;
};

/** A connected device. */
export type PeerBody = {
  /** What it is called among the devices of this identity, if it is one. */
  device_name?: string | null;
  /** What it calls itself, in a space that both are in. */
  name?: string | null;
  /** As libp2p names it. */
  peer_id: string;
  /** The spaces that both have shown each other to be in. */
  spaces: string[];
};

/** The phrase, and whether it is still stored. */
export type PhraseBody = {
  /** Whether the owner has said that it is written down. */
  confirmed: boolean;
  /** Whether this device was linked: the phrase was never on it. */
  elsewhere: boolean;
  /** Its words; none once they were confirmed, or where it never was. */
  phrase?: string | null;
};

/** The policy of a space. */
export type Policy = {
  /** What newcomers read of the time before they came: `all`, or `from_joining`. */
  history: string;
  /** The space. */
  space: string;
};

/** What a document tells others of itself, until it is gone or says otherwise. */
export type Presence = {
  /** What was given with the session. */
  key: string;
  /** Any JSON of at most 1,024 bytes, such as a name and a cursor; nothing: it shows itself no more. */
  state?: Json;
  /** The stream that this document follows. */
  stream: number;
};

/** What this identity calls itself. */
export type Profile = {
  /** Its root key. */
  identity: string;
  /** What members of its spaces see; none when it has no name. */
  name?: string | null;
};

/** A name that this identity has from now on. */
export type ProfileSet = {
  /** Its root key. */
  identity: string;
  /** The name. */
  name: string;
  /** The spaces in which it could not be said. */
  not_said: NotSaid[];
  /** The spaces in which it was said. */
  spaces: string[];
};

/** A line of the answer while the import goes on. */
export type Progress = {
  /** Operations that are durable. */
  done: number;
  /** Operations there are. */
  total: number;
};

/** A removal or a role that waits. */
export type Proposal = {
  /** Who proposed it. */
  by?: string | null;
  /** What to call that member. */
  by_name?: string | null;
  /** Whom it is about. */
  identity: string;
  /** Whether this identity proposed it or stands behind it. */
  mine: boolean;
  /** What to call that member. */
  name?: string | null;
  /** Its id. */
  proposal: string;
  /** The role that it gives; none for a removal. */
  role?: string | null;
  /** Who else says to stand behind it. */
  sealed_by: string[];
  /** How many have to stand behind it. */
  votes: Votes;
};

/** What is held and does not count, because an act came before it. */
export type Quarantine = {
  /** Space by space, feed by feed. */
  quarantined: Quarantined[];
};

/** Entries of a feed that an act has cut. */
export type Quarantined = {
  /** What has cut it. */
  acts: Cutting[];
  /** Their bytes, as if all entries of the feed were of one size. */
  bytes: number;
  /** The device that wrote it, as libp2p names it. */
  device: string;
  /** How many there are. */
  entries: number;
  /** The feed. */
  feed: string;
  /** The first entry that does not count. */
  from: number;
  /** Whether more was offered than is taken. */
  full: boolean;
  /** For whom. */
  identity: string;
  /** What to call that one. */
  name?: string | null;
  /** `control` or `data`. */
  purpose: string;
  /** The space. */
  space: string;
  /** What the space is called. */
  space_name?: string | null;
};

/** What is to be taken in again. */
export type Readmission = {
  /** Only by this act; all that have cut its feeds without it. */
  act?: string | null;
  /** Whose entries: a root key, the beginning of it, or a name. */
  author: string;
};

/** What was taken in again. */
export type Readmitted = {
  /** How many count now that did not. */
  entries: number;
  /** Whose entries. */
  identity: string;
  /** What to call that one. */
  name?: string | null;
  /** The space. */
  space: string;
};

/** That the node does its work. */
export type Ready = {
  /** Always true: otherwise the answer is an error that says why. */
  ready: boolean;
};

/** Why a request was not carried out. */
export type Reason = {
  /** A stable name for programs, snake_case. */
  code: string;
  /** What to do next. */
  hint: string;
  /** What happened and why. */
  message: string;
};

/** What was derived again. */
export type Rebuilt = {
  /** How many data entries were replayed. */
  entries: number;
  /** How many objects there are now. */
  objects: number;
  /** How many spaces. */
  spaces: number;
};

/** A record. */
export type RecordBody = {
  /** Its bytes in base64, when they are not. */
  base64?: string | null;
  /** The device that wrote it, as libp2p names it. */
  device: string;
  /** The feed it is in. */
  feed: string;
  /** Its place in the feed. */
  seq: number;
  /** Its bytes, when they are UTF-8. */
  text?: string | null;
};

/** Records, feed by feed, in the order of each. */
export type Records = {
  /** What was found. */
  records: RecordBody[];
  /** The space. */
  space: string;
};

/** What became of a device, or would. */
export type RemovedDevice = {
  /** The device, as libp2p names it. */
  device: string;
  /** What it called itself. */
  name?: string | null;
  /** Whether it is no device of this identity any more. */
  removed: boolean;
  /** The spaces from which it is removed. */
  spaces: SpaceName[];
  /** The spaces in which it stays, and why. */
  stays: StaysIn[];
};

/** An invitation that was taken back. */
export type Revoked = {
  /** The invitation. */
  invitation: string;
  /** The space. */
  space: string;
  /** How many joined by it before, and stay. */
  standing: number;
};

/** A proposal that this identity stands behind now. */
export type Sealed = {
  /** Whether it counts now; else it still waits. */
  counts: boolean;
  /** Whom it is about. */
  identity: string;
  /** What to call that member. */
  name?: string | null;
  /** The proposal. */
  proposal: string;
  /** The role that it gives; none for a removal. */
  role?: string | null;
  /** The space. */
  space: string;
};

/** A session: a document that edits under it is told apart from every other, for ever. */
export type SessionBody = {
  /** The client id that the Yjs document is to have, below 2^53. */
  client_id: number;
  /** What the document shows with every request. Keep it in memory: a copy of the tab needs a session of its own. */
  key: string;
  /** The object that it was asked for. */
  object: string;
  /** The session's number in this device's data feed of the space; never given twice. */
  session: number;
  /** The space it is in. */
  space: string;
};

/** A setting. */
export type SettingRow = {
  /** Its name in `config.toml`. */
  key: string;
  /** Who said so: `flag`, the name of a variable, `config.toml` or `default`. */
  source: string;
  /** What holds. */
  value: Json;
};

/** Every setting. */
export type Settings = {
  /** In the order of the documentation. */
  settings: SettingRow[];
};

/** A presence that is told. */
export type Shown = {
  /** The session. */
  session: number;
};

/** A space. */
export type SpaceBody = {
  /** The members that are connected. */
  connected: PairBody[];
  /** `left` or `removed` when this identity was a member and is none any more, as far as that is known here. */
  gone?: string | null;
  /** Whether at least one other member is connected and each connected one holds what is held here and the other way round. */
  level: boolean;
  /** How many members there are. */
  members: number;
  /** Its name; none before its first data is here. */
  name?: string | null;
  /** How many newcomers wait at this device until somebody approves them. */
  newcomers: number;
  /** How many removals and roles are proposed there: `members` says which. */
  proposals: number;
  /** Who removed it then; this identity itself when it left. */
  removed_by?: string | null;
  /** What this identity is there: `reader`, `writer`, `admin`, `owner`; none when it is no member. */
  role?: string | null;
  /** What the link it was joined by says it is called; a claim, and none once the name is here. */
  said_name?: string | null;
  /** Its id. */
  space: string;
  /** What is not as it should be; empty when level. */
  waiting: WaitingBody[];
  /** Why nothing can be written here, if that is so. */
  write_stop?: string | null;
};

/** A name for a space. */
export type SpaceName = {
  /** What people call it from now on; at most 128 bytes. */
  name: string;
};

/** Every space. */
export type Spaces = {
  /** In the order of their ids. */
  spaces: SpaceBody[];
};

/** A ticket to be spent. */
export type Spending = {
  /** As it was issued. */
  ticket: string;
};

/** The whole of it. */
export type StatusBody = {
  /** The identity it acts for. */
  identity: string;
  /** How the keys are protected on disk. */
  keys: KeysBody;
  /** The addresses it can be reached at. */
  listen: string[];
  /** What the identity calls itself. */
  name?: string | null;
  /** What the owner should look after, with the command that does it. */
  notes: Note[];
  /** This device, as libp2p names it. */
  peer_id: string;
  /** Who is connected. */
  peers: PeerBody[];
  /** The device of this identity by which this one was removed, as libp2p names it: nobody takes what is written here. */
  removed_by?: string | null;
  /** Whether a node is running, rather than only its store being looked at. */
  running: boolean;
  /** Every space here. */
  spaces: SpaceBody[];
};

/** A space from which this device may not remove the other one. */
export type StaysIn = {
  /** Its name. */
  name?: string | null;
  /** Why. */
  reason: Reason;
  /** Its id. */
  space: string;
};

/** That the node stops. */
export type Stopping = {
  /** Always true. */
  stopping: boolean;
};

/** Something that a document hears. */
export type StreamBody = {
  /** Why: `rebuilt` (verdicts may have changed), `deleted` (the object), `taken_over` (by another document that shows the same key). */
  code?: string | null;
  /** Which derivation of the object from its entries this is: say it when following again. */
  derivation?: number | null;
  /** What: `attached` first, with `stream` and `derivation`; `update`; `level` when everything readable was told; `presence`; `reset` at the end, with `code`, when this document is of no more use. */
  event: string;
  /** The node on which the other document is. */
  peer?: string | null;
  /** Its session there. */
  session?: number | null;
  /** What it tells of itself; `null` when it is gone. */
  state?: Json;
  /** The stream's number, for what is sent. */
  stream?: number | null;
  /** A Yjs update (v1) to apply, base64. */
  update?: string | null;
};

/** A text. */
export type TextBody = {
  /** The object. */
  object: string;
  /** The space it is in. */
  space: string;
  /** Its text. */
  text: string;
};

/** Operations on a text: all of them or none, in sequence. */
export type TextChange = {
  /** At most 64. */
  operations: Operation[];
};

/** A ticket for one browser. */
export type Ticket = {
  /** Until when it can be spent, RFC 3339; only once. */
  expires: string;
  /** Goes behind `/#ticket=` of this node's address. */
  ticket: string;
};

/** A device that is not known to have heard of a change of members. */
export type Unheard = {
  /** For whom it acts. */
  identity: string;
  /** What to call that member. */
  name?: string | null;
  /** As libp2p names it. */
  peer_id: string;
};

/** What a document has done. */
export type Update = {
  /** What was given with the session. */
  key: string;
  /** The stream that this document follows, as `attached` said. */
  stream: number;
  /** A Yjs update (v1) of what the session itself has inserted and deleted, base64; at most 16 MiB. */
  update: string;
};

/** What was checked. */
export type Verified = {
  /** How many bytes of headers and bodies. */
  bytes: number;
  /** How many entries. */
  entries: number;
  /** How many feeds were checked. */
  feeds: number;
  /** Always true: damage is answered as an error. */
  verified: boolean;
};

/** The version of the program and of what it speaks. */
export type Version = {
  /** Of this API. */
  api: number;
  /** The names of the protocols it speaks with peers. */
  protocols: string[];
  /** Of the program. */
  version: string;
};

/** How many have to stand behind a proposal, of how many. */
export type Votes = {
  /** More than half, whoever proposes counted. */
  needed: number;
  /** The owners and admins of the space. */
  of: number;
};

/** Something that is missing, and why. */
export type WaitingBody = {
  /** From whom it should come. */
  from?: string | null;
  /** What to do. */
  remedy: string;
  /** The rule by which it is refused or held back. */
  rule: string;
  /** Since when, RFC 3339. */
  since: string;
  /** What is missing. */
  what: string;
};

/** A person at a host of the link has to approve first. The redemption is kept here and there. */
export type Waits = {
  /** Twenty digits of this identity: read them to whoever sent the link, who sees the same. */
  digits: string;
  /** What the link says its issuer is called, if it says so. */
  says_inviter?: string | null;
  /** What the link says the space is called, if it says so. */
  says_space?: string | null;
  /** The space. */
  space: string;
  /** True. */
  waiting: boolean;
};

/** An update that is durable here. */
export type Written = {
  /** The object. */
  object: string;
  /** Its (last) entry in this device's data feed. */
  seq: number;
};

/** Every path of the API, and what each of its methods takes and gives. */
export interface Paths {
  "/config": {
    /** Every setting, and where its value came from. */
    GET: {
      answer: Settings;
    };
  };
  "/contacts": {
    /** List contacts. */
    GET: {
      answer: Contacts;
    };
  };
  "/contacts/{person}": {
    /** Show a contact, or somebody in a space of this node, with the safety number. */
    GET: {
      path: {
        person: string;
      };
      answer: ContactBody;
    };
    /** Keep a name for somebody, or that the safety number was compared. */
    PATCH: {
      path: {
        person: string;
      };
      body: ContactChange;
      answer: ContactBody;
    };
    /** Keep nothing of somebody any more. */
    DELETE: {
      path: {
        person: string;
      };
      answer: ContactBody;
    };
  };
  "/devices": {
    /** List the devices of this identity, and its links for new ones. */
    GET: {
      answer: Devices;
    };
  };
  "/devices/links": {
    /** Make a link by which another device becomes one of this identity. */
    POST: {
      body: NewDeviceLink;
      answer: MadeDeviceLink;
    };
    /** Take back every link for a device that was not used. */
    DELETE: {
      answer: CancelledDeviceLinks;
    };
  };
  "/devices/this": {
    /** Give this device a name, which the identity's other devices hear. */
    PATCH: {
      body: DeviceName;
      answer: DeviceName;
    };
  };
  "/devices/{device}": {
    /** Remove a device of this identity: from every space, now and later. It cannot be taken back; the device can be linked again with a new key. Where this device may not remove it, the answer says so; when that is so everywhere, nothing is done. */
    DELETE: {
      path: {
        device: string;
      };
      query?: {
        /** Only say what would be done. */
        dry_run?: boolean;
      };
      answer: RemovedDevice;
    };
  };
  "/events": {
    /** Follow what happens. A stream of server-sent events; the data of each is one JSON object. */
    GET: {
      query?: {
        /** Only what happens in this space. */
        space?: string;
        /** Only what happens to this object, by its full id. */
        object?: string;
        /** Only events of these names, separated by commas. */
        events?: string;
      };
      answer: AsyncIterable<EventBody>;
    };
  };
  "/feeds/{feed}": {
    /** Show a feed and some of its entries. */
    GET: {
      path: {
        feed: string;
      };
      query?: {
        /** Look for the feed in this space only. */
        space?: string;
        /** The first entry. Default: so that the last `count` are shown. */
        from?: number;
        /** How many entries, at most 1,000. Default 20. */
        count?: number;
      };
      answer: FeedBody;
    };
  };
  "/healthz": {
    /** Whether the process lives and answers. Needs no token. */
    GET: {
      answer: Alive;
    };
  };
  "/identity/lock": {
    /** Forget the keys. It answers first; then the node leaves its peers, closes its store, and answers with 423 until it is unlocked. Refused where no passphrase would open them again. */
    POST: {
      answer: LockBody;
    };
  };
  "/identity/phrase": {
    /** The recovery phrase, while it is stored here. */
    GET: {
      answer: PhraseBody;
    };
    /** Say that the phrase is written down: it is deleted from this device. */
    DELETE: {
      answer: PhraseBody;
    };
  };
  "/identity/unlock": {
    /** Open the keys of a locked node: the body is the passphrase as text. A node that is not locked does not look at it. */
    POST: {
      answer: LockBody;
    };
  };
  "/invitations": {
    /** List invitations, and who waits at this device to be approved. */
    GET: {
      query?: {
        /** Only of this space. */
        space?: string;
        /** Those too that nobody can redeem any more. Default false. */
        all?: boolean;
      };
      answer: Invitations;
    };
  };
  "/invitations/{invitation}": {
    /** Take an invitation back. Whoever joined by it stays. */
    DELETE: {
      path: {
        invitation: string;
      };
      query?: {
        /** Only of this space. */
        space?: string;
      };
      answer: Revoked;
    };
  };
  "/invitations/{invitation}/newcomers/{newcomer}": {
    /** Let a newcomer in that waits at this device, or turn it away. */
    POST: {
      path: {
        invitation: string;
        newcomer: string;
      };
      query?: {
        /** Only of this space. */
        space?: string;
      };
      body: Decision;
      answer: Decided;
    };
  };
  "/join": {
    /** Join a space. Answered when membership is durable here and the epoch is open; the data comes later. Where a person has to approve first, the answer says so, and the same request asks again. */
    POST: {
      body: Joining;
      answer: Joined;
    };
  };
  "/metrics": {
    /** What the node has counted, as OpenMetrics text for Prometheus. */
    GET: {
      answer: unknown;
    };
  };
  "/objects/{object}": {
    /** Show an object. */
    GET: {
      path: {
        object: string;
      };
      query?: {
        /** Only this space. */
        space?: string;
      };
      answer: ObjectBody;
    };
    /** Change properties of an object. Answered when it is durable here. */
    PATCH: {
      path: {
        object: string;
      };
      query?: {
        /** Only this space. */
        space?: string;
      };
      body: ObjectChange;
      answer: ObjectName;
    };
    /** Delete an object. Answered when it is durable here. */
    DELETE: {
      path: {
        object: string;
      };
      query?: {
        /** Only this space. */
        space?: string;
        /** Answer what would be deleted, and delete nothing. */
        dry_run?: boolean;
      };
      answer: ObjectName;
    };
  };
  "/objects/{object}/sessions": {
    /** Open a session for a document that is about to edit an object. Answered when the number is durably taken. */
    POST: {
      path: {
        object: string;
      };
      query?: {
        /** Only this space. */
        space?: string;
      };
      answer: SessionBody;
    };
  };
  "/objects/{object}/sessions/{session}/presence": {
    /** Tell the other documents of the object, here and on connected nodes of members, something that is not kept: who is here and where its cursor is. */
    POST: {
      path: {
        object: string;
        session: number;
      };
      query?: {
        /** Only this space. */
        space?: string;
      };
      body: Presence;
      answer: Shown;
    };
  };
  "/objects/{object}/sessions/{session}/stream": {
    /** Follow an object with a document. A stream of server-sent events; the data of each is one JSON object. */
    POST: {
      path: {
        object: string;
        session: number;
      };
      query?: {
        /** Only this space. */
        space?: string;
      };
      body: Follow;
      answer: AsyncIterable<StreamBody>;
    };
  };
  "/objects/{object}/sessions/{session}/updates": {
    /** Write what a document has done. Answered when it is durable here; sent again, it is written once. */
    POST: {
      path: {
        object: string;
        session: number;
      };
      query?: {
        /** Only this space. */
        space?: string;
      };
      body: Update;
      answer: Written;
    };
  };
  "/objects/{object}/text": {
    /** The text of an object, exactly. */
    GET: {
      path: {
        object: string;
      };
      query?: {
        /** Only this space. */
        space?: string;
      };
      answer: TextBody;
    };
    /** Change the text of an object. Answered when it is durable here. */
    POST: {
      path: {
        object: string;
      };
      query?: {
        /** Only this space. */
        space?: string;
      };
      body: TextChange;
      answer: ObjectName;
    };
  };
  "/openapi.json": {
    /** This description. */
    GET: {
      answer: unknown;
    };
  };
  "/profile": {
    /** What this identity calls itself. */
    GET: {
      answer: Profile;
    };
    /** Call this identity something else: in spaces that it enters, and in all where it may write. */
    PATCH: {
      body: NewProfile;
      answer: ProfileSet;
    };
  };
  "/quarantine": {
    /** List what is held past where its author's right to write ended, and which acts have ended it. */
    GET: {
      query?: {
        /** Only of this space. */
        space?: string;
      };
      answer: Quarantine;
    };
  };
  "/readyz": {
    /** Whether the store is open, the node listens for peers and carries out commands. Needs no token. */
    GET: {
      answer: Ready;
    };
  };
  "/rebuild": {
    /** Drop what was derived from the feeds and derive it again. */
    POST: {
      query?: {
        /** A space; all without it. */
        space?: string;
        /** Answer what would be dropped, and drop nothing. */
        dry_run?: boolean;
      };
      answer: Rebuilt;
    };
  };
  "/spaces": {
    /** List the spaces of this node. */
    GET: {
      answer: Spaces;
    };
    /** Make a space and become its owner. */
    POST: {
      body: NewSpace;
      answer: MadeSpace;
    };
  };
  "/spaces/{space}": {
    /** Show a space and what it waits for. */
    GET: {
      path: {
        space: string;
      };
      answer: SpaceBody;
    };
    /** Give a space another name. Every member reads it; an owner gives it. */
    PATCH: {
      path: {
        space: string;
      };
      body: SpaceName;
      answer: MadeSpace;
    };
    /** Delete a space from this device: its keys, entries and rows. What other devices hold stays there, and who is a member stays one. */
    DELETE: {
      path: {
        space: string;
      };
      query?: {
        /** Only say what would be done. Default false. */
        dry_run?: boolean;
      };
      answer: DeletedSpace;
    };
  };
  "/spaces/{space}/drafts": {
    /** List the drafts of a space: changes that wait, or that could not be made. */
    GET: {
      path: {
        space: string;
      };
      answer: Drafts;
    };
  };
  "/spaces/{space}/drafts/{draft}": {
    /** Drop a draft: it is not made any more. */
    DELETE: {
      path: {
        space: string;
        draft: number;
      };
      answer: DraftDropped;
    };
  };
  "/spaces/{space}/feeds": {
    /** List the feeds of a space. */
    GET: {
      path: {
        space: string;
      };
      answer: Feeds;
    };
  };
  "/spaces/{space}/files": {
    /** List the files of a space: objects of the type `file`, by their place in the list of objects. The answer is a stream of lines, one object each; should reading fail, the last is an error with its status. */
    GET: {
      path: {
        space: string;
      };
      answer: unknown;
    };
  };
  "/spaces/{space}/import/trace": {
    /** Replay a sequential editing trace (JSON or gzipped JSON) into a new text. The answer is a stream of lines: progress, then the new object, or an error with its status. */
    POST: {
      path: {
        space: string;
      };
      query?: {
        /** Its property `name`. */
        name?: string;
      };
      answer: unknown;
    };
  };
  "/spaces/{space}/invitations": {
    /** Issue a link by which people can join. */
    POST: {
      path: {
        space: string;
      };
      body: NewInvitation;
      answer: Invited;
    };
  };
  "/spaces/{space}/leave": {
    /** Leave a space: this identity, with all its devices, for good. What is here of it stays here, to be read. */
    POST: {
      path: {
        space: string;
      };
      query?: {
        /** Only say what would be done. Default false. */
        dry_run?: boolean;
      };
      answer: Left;
    };
  };
  "/spaces/{space}/members": {
    /** List who belongs to a space, as what, and what is proposed about them. */
    GET: {
      path: {
        space: string;
      };
      answer: Members;
    };
  };
  "/spaces/{space}/members/{member}": {
    /** Give a member another role. By a lower one what is held here of what it wrote stays. */
    PATCH: {
      path: {
        space: string;
        member: string;
      };
      body: NewRole;
      answer: MemberChange;
    };
    /** Remove a member, with all its devices. What is held here of what it wrote stays; it reads nothing that is written from then on. */
    DELETE: {
      path: {
        space: string;
        member: string;
      };
      query?: {
        /** Write it also where it counts only once more than half of those who administer stand behind it. Default false. */
        propose?: boolean;
        /** Only say what would be done. Default false. */
        dry_run?: boolean;
      };
      answer: MemberChange;
    };
  };
  "/spaces/{space}/objects": {
    /** List the objects of a space. */
    GET: {
      path: {
        space: string;
      };
      query?: {
        /** Only objects of this type. */
        type?: string;
        /** Also what Weft keeps for itself. */
        all?: boolean;
      };
      answer: Objects;
    };
    /** Make an object. Answered when it is durable here. */
    POST: {
      path: {
        space: string;
      };
      body: NewObject;
      answer: ObjectName;
    };
  };
  "/spaces/{space}/policy": {
    /** What a space lets newcomers read of the time before they came. */
    GET: {
      path: {
        space: string;
      };
      answer: Policy;
    };
    /** Let newcomers read something else of the time before they came, from now on. An owner does. */
    PATCH: {
      path: {
        space: string;
      };
      body: NewPolicy;
      answer: Policy;
    };
  };
  "/spaces/{space}/proposals/{proposal}": {
    /** Stand behind a removal or a role that is proposed. */
    POST: {
      path: {
        space: string;
        proposal: string;
      };
      answer: Sealed;
    };
  };
  "/spaces/{space}/readmissions": {
    /** Take in again what is held here of somebody: it counts, for everybody. Refused to who does not outrank whom it is of, and has not said the act itself. */
    POST: {
      path: {
        space: string;
      };
      body: Readmission;
      answer: Readmitted;
    };
  };
  "/spaces/{space}/records": {
    /** List records. */
    GET: {
      path: {
        space: string;
      };
      query?: {
        /** Only this feed. */
        feed?: string;
        /** The first entry to look at. Default 0. */
        from?: number;
        /** How many records of a feed at most. Default 1,000. */
        count?: number;
      };
      answer: Records;
    };
    /** Append a record. The body is its bytes. Answered when it is durable here. */
    POST: {
      path: {
        space: string;
      };
      answer: Appended;
    };
  };
  "/spaces/{space}/wait": {
    /** Answer when at least one other member (or the one named) is connected, each connected one holds what is held here and the other way round, and all of it can be read here. */
    GET: {
      path: {
        space: string;
      };
      query?: {
        /** Only this peer counts: a full peer id, its last eight characters or a unique name. */
        with?: string;
        /** Milliseconds until the answer is 504; at most a year. Default 30,000. */
        timeout_ms?: number;
      };
      answer: Level;
    };
  };
  "/status": {
    /** What this node is, whom it is connected to, and why it is not in sync. */
    GET: {
      answer: StatusBody;
    };
  };
  "/stop": {
    /** Stop the node. It answers first, then closes its connections and its store. */
    POST: {
      answer: Stopping;
    };
  };
  "/tickets": {
    /** Issue a ticket by which one browser can open the page. */
    POST: {
      answer: Ticket;
    };
  };
  "/tickets/spend": {
    /** Spend a ticket. The one request under `/api` that needs no token. */
    POST: {
      body: Spending;
      answer: PageToken;
    };
  };
  "/verify": {
    /** Check every stored entry against its signed head. Damage is answered as an error with status 507. */
    POST: {
      query?: {
        /** A space. */
        space?: string;
      };
      answer: Verified;
    };
  };
  "/version": {
    /** The version. */
    GET: {
      answer: Version;
    };
  };
}
