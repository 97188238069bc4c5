/**
 * The accounts of a node, as its files of accounts have them: read at the start, read again when they change, changed on
 * an administrator's request. Follows PlainPermissionManager of RocketMQ 4.9.7, but for files that cannot be read: those
 * change nothing, where Java's accounts are lost or half read.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { AddressSet } from "../../config/addresses.ts";
import { messageOf, RocketdError } from "../../errors.ts";
import { ACL_FILE_BYTES_MAX, ACL_FILES_MAX } from "../../limits.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { type Disk, folderOf } from "../../platform/disk.ts";
import { type DataVersion, nextDataVersion, NO_VERSION } from "../../protocol/bodies/data_version.ts";
import {
  type Account,
  type AccountEntry,
  accountOf,
  type AclDocument,
  addresses,
  readAclFile,
  writeAclFile,
} from "./acl_file.ts";

const log = getLogger(["rocketd", "access"]);

/** How often the files are looked at, ms (`AclFileWatchService` of RocketMQ). */
const LOOK_EVERY_MS = 5_000;
/** The files hold secrets: nobody else needs to read them. */
const OWNER_ONLY = 0o600;

/** What the files say together. */
export interface AccountBook {
  readonly byKey: ReadonlyMap<string, Account>;
  /** Sets of addresses that may do everything. */
  readonly white: readonly AddressSet[];
}

interface AclFile {
  readonly text: string;
  readonly document: AclDocument;
}

/** What accounts are read from. */
export interface AccountsOptions {
  readonly aclFile: string;
  readonly disk: Disk;
  readonly clock: Clock;
}

/** The accounts of a node with `aclEnable`; undefined without it. Throws `invalidSettings`. */
export function accountsOf(
  { aclEnable, aclFile }: { readonly aclEnable: boolean; readonly aclFile: string },
  platform: Pick<AccountsOptions, "disk" | "clock">,
): Accounts | undefined {
  return aclEnable ? new Accounts({ aclFile, ...platform }) : undefined;
}

/** Keeps accounts; from `watch` to `close` it looks for changes of the files. */
export class Accounts {
  readonly #options: AccountsOptions;
  #timer: Timer | undefined;
  #files: ReadonlyMap<string, AclFile> = new Map();
  #book: AccountBook = { byKey: new Map(), white: [] };
  /** The last complaint, so that a file that stays damaged is not told of each time. */
  #complaint = "";

  /** Throws `invalidSettings` when there are no accounts, or when they cannot be read: nobody is let in by mistake. */
  constructor(options: AccountsOptions) {
    this.#options = options;
    try {
      this.#read();
    } catch (error) {
      const reason = `Cannot control access (aclEnable) by the accounts of aclFile: ${messageOf(error)}`;
      throw new RocketdError("invalidSettings", reason, { field: "aclFile", value: options.aclFile, cause: error });
    }
    const { byKey, white } = this.#book;
    if (byKey.size === 0 && white.length === 0) log.warn("{file} has no account: nobody is obeyed", this.#about());
    else if (![...byKey.values()].some(({ admin }) => admin)) {
      log.warn("{file} has no account with admin: true: nobody can change anything by requests", this.#about());
    }
  }

  watch(): void {
    this.#timer = this.#options.clock.every(LOOK_EVERY_MS, () => this.look());
  }

  /** The accounts as of now; another object after each change. */
  get book(): AccountBook {
    return this.#book;
  }

  /** The entries as they are written, those of `aclFile` first. */
  get entries(): AccountEntry[] {
    return [...this.#files.values()].flatMap(({ document }) => document.accounts);
  }

  /** The sets of addresses that may do everything, as they are written. */
  get globalWhiteAddresses(): string[] {
    return [...this.#files.values()].flatMap(({ document }) => document.globalWhiteRemoteAddresses);
  }

  /** The versions of the files by their paths. */
  get versions(): Map<string, DataVersion> {
    return new Map([...this.#files].map(([path, { document }]) => [path, document.version]));
  }

  /** The version of `aclFile`. */
  get version(): DataVersion {
    return this.#files.get(this.#options.aclFile)?.document.version ?? NO_VERSION;
  }

  close(): void {
    this.#timer?.cancel();
  }

  /** Reads the files again if one of them has changed. Files that cannot be read change nothing, and are told of. */
  look(): void {
    try {
      if (this.#read()) log.info("{file} was read again: {count} accounts", { ...this.#about(), count: this.#count });
      this.#complaint = "";
    } catch (error) {
      const complaint = messageOf(error);
      if (complaint === this.#complaint) return;
      this.#complaint = complaint;
      log.error("Cannot read the accounts again: {complaint}; those read before stay in force", { complaint });
    }
  }

  /**
   * Adds an account or changes what is given of one. Throws `invalidSettings` for what is not allowed or files that
   * cannot be read, and what the disk throws.
   */
  put(given: Partial<AccountEntry> & Pick<AccountEntry, "accessKey">): void {
    const { accessKey } = given;
    this.#read();
    const path = this.#fileOf(accessKey) ?? this.#options.aclFile;
    const document = this.#document(path);
    const at = document.accounts.findIndex((account) => account.accessKey === accessKey);
    const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const entry = { ...NOTHING, ...document.accounts[at], ...said, accessKey };
    // RocketMQ moves a changed account to the end, too.
    const others = document.accounts.filter((_, i) => i !== at);
    this.#write(path, { ...document, accounts: [...others, entry] });
  }

  /** Removes an account; false when there is none. Throws as `put` does. */
  remove(accessKey: string): boolean {
    this.#read();
    const path = this.#fileOf(accessKey);
    if (path === undefined) return false;
    const document = this.#document(path);
    this.#write(path, { ...document, accounts: document.accounts.filter((one) => one.accessKey !== accessKey) });
    return true;
  }

  /**
   * Replaces the addresses of a file that may do everything. Throws as `put` does, and `invalidArgument` for a path
   * that is none of the files: no request names another.
   */
  setGlobalWhiteAddresses(sets: readonly string[], path = this.#options.aclFile): void {
    this.#read();
    if (path !== this.#options.aclFile && !this.#files.has(path)) {
      throw new RocketdError("invalidArgument", `${JSON.stringify(path)} is no file of accounts here`, { value: path });
    }
    this.#write(path, { ...this.#document(path), globalWhiteRemoteAddresses: sets });
  }

  get #count(): number {
    return this.#book.byKey.size;
  }

  #about(): { file: string } {
    return { file: this.#options.aclFile };
  }

  #fileOf(accessKey: string): string | undefined {
    return [...this.#files].find(([, { document }]) => document.accounts.some((one) => one.accessKey === accessKey))
      ?.[0];
  }

  #document(path: string): AclDocument {
    return this.#files.get(path)?.document ??
      { globalWhiteRemoteAddresses: [], accounts: [], version: NO_VERSION, others: {} };
  }

  #write(path: string, changed: AclDocument): void {
    const { disk, clock } = this.#options;
    const document = { ...changed, version: nextDataVersion(changed.version, clock.now()) };
    const text = writeAclFile(document);
    const files = new Map([...this.#files, [path, { text, document }] as const]);
    const book = bookOf(files);
    disk.writeStateFileSync(path, new TextEncoder().encode(text), OWNER_ONLY);
    this.#files = files;
    this.#book = book;
  }

  /** Reads what has changed; whether anything has. Throws, with nothing changed, when something cannot be read. */
  #read(): boolean {
    const texts = this.#texts();
    const same = texts.size === this.#files.size &&
      [...texts].every(([path, text]) => this.#files.get(path)?.text === text);
    if (same) return false;
    const files = new Map<string, AclFile>();
    for (const [path, text] of texts) {
      try {
        const known = this.#files.get(path);
        files.set(path, known?.text === text ? known : { text, document: readAclFile(text) });
      } catch (error) {
        throw new RocketdError("invalidSettings", `${path}: ${messageOf(error)}`, { cause: error });
      }
    }
    this.#book = bookOf(files);
    this.#files = files;
    return true;
  }

  /** The texts of all files by their paths, `aclFile` first. */
  #texts(): Map<string, string> {
    const { aclFile, disk } = this.#options;
    const more = filesBelow(disk, `${folderOf(aclFile)}/acl`);
    // One that was there and is gone is being replaced, or was lost: neither takes the accounts away.
    const needed = more.length === 0 || this.#files.has(aclFile) || disk.existsSync(aclFile);
    const paths = needed ? [aclFile, ...more] : more;
    if (paths.length > ACL_FILES_MAX) throw new Error(`${paths.length} files of accounts, at most ${ACL_FILES_MAX}`);
    return new Map(paths.map((path) => [path, textOf(disk, path)]));
  }
}

const NOTHING: AccountEntry = {
  accessKey: "",
  secretKey: "",
  whiteRemoteAddress: undefined,
  admin: undefined,
  defaultTopicPerm: undefined,
  defaultGroupPerm: undefined,
  topicPerms: undefined,
  groupPerms: undefined,
};

/** The `.yml` and `.yaml` files of a folder and those below it. */
function filesBelow(disk: Disk, folder: string, depth = 0): string[] {
  if (!disk.isDirectorySync(folder)) return [];
  return disk.listSync(folder).map((name) => `${folder}/${name}`).flatMap((path) => {
    if (disk.isDirectorySync(path)) return depth < FOLDERS_DEEP_MAX ? filesBelow(disk, path, depth + 1) : [];
    return /\.ya?ml$/.test(path) ? [path] : [];
  });
}

/** A link to a folder above must not lead in circles. */
const FOLDERS_DEEP_MAX = 8;

function textOf(disk: Disk, path: string): string {
  try {
    const size = disk.sizeSync(path);
    if (size > ACL_FILE_BYTES_MAX) throw new Error(`it has ${size} bytes, at most ${ACL_FILE_BYTES_MAX} are read`);
    return new TextDecoder("utf-8", { fatal: true }).decode(disk.readFileSync(path));
  } catch (error) {
    throw new RocketdError("invalidSettings", `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** What files say together. Throws `invalidSettings` naming the file and what is wrong there. */
function bookOf(files: ReadonlyMap<string, AclFile>): AccountBook {
  const byKey = new Map<string, Account>();
  const white: AddressSet[] = [];
  const homes = new Map<string, string>();
  for (const [path, { document }] of files) {
    try {
      for (const text of document.globalWhiteRemoteAddresses) white.push(addresses(text, "globalWhiteRemoteAddresses"));
      document.accounts.forEach((entry, i) => {
        const account = accountOf(entry, `accounts[${i}]`);
        const home = homes.get(account.accessKey);
        if (home !== undefined) {
          throw new Error(`accounts[${i}]: the accessKey ${account.accessKey} is in ${home} already`);
        }
        homes.set(account.accessKey, path);
        byKey.set(account.accessKey, account);
      });
    } catch (error) {
      throw new RocketdError("invalidSettings", `${path}: ${messageOf(error)}`, { cause: error });
    }
  }
  return { byKey, white };
}
