/**
 * Removing old log files by age, hour of the day and disk use, and what queues and index know of them. A disk that is
 * nearly full stops the writes (CleanCommitLogService of RocketMQ 4.9.7).
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { DISK_USED_CLEAN_FORCIBLY, DISK_USED_REFUSE, LOG_FILES_REMOVED_PER_ROUND } from "../limits.ts";
import type { Clock } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import type { ColdReader } from "./cold_reader.ts";
import type { CommitLog } from "./commit_log.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { StoreOptions } from "./options.ts";
import type { StoreState } from "./state.ts";

const logger = getLogger(["rocketd", "store"]);
const HOUR_MS = 3_600_000;

/** Rounds whatever the hour that an operator asks for at once (`MAX_MANUAL_DELETE_FILE_TIMES` 4.9.7). */
const ROUNDS_AT_ONCE = 20;

export class Retention {
  #roundsAtOnce = 0;

  constructor(
    readonly log: CommitLog,
    readonly dispatcher: Dispatcher,
    readonly cold: ColdReader,
    readonly options: StoreOptions,
    readonly disk: Disk,
    readonly clock: Clock,
    readonly state: StoreState,
  ) {}

  /** Lets the next rounds remove files that are due whatever the hour. */
  removeSoon(): void {
    this.#roundsAtOnce = ROUNDS_AT_ONCE;
  }

  /** One round; `atOnce` removes files that are due whatever the hour. */
  run(atOnce = this.#roundsAtOnce > 0): void {
    if (this.#roundsAtOnce > 0) this.#roundsAtOnce--;
    const used = this.disk.usedSpacePercent?.(this.options.commitLogDir);
    this.#guardSpace(used);
    const { deleteWhen, diskMaxUsedSpaceRatio, cleanFileForciblyEnable } = this.options;
    const timeUp = deleteWhen.includes(new Date(this.clock.now()).getHours());
    const short = used !== undefined && used > diskMaxUsedSpaceRatio;
    if (!timeUp && !short && !atOnce) return;
    const forced = cleanFileForciblyEnable && used !== undefined && used > DISK_USED_CLEAN_FORCIBLY;
    try {
      this.#removeFiles(forced);
    } catch (error) {
      logger.error("Cannot remove old files: {error}", { error: messageOf(error) });
    }
  }

  #guardSpace(used: number | undefined): void {
    const { state, options } = this;
    if (used !== undefined && used > DISK_USED_REFUSE) {
      if (state.obstacle === undefined) logger.error("The disk is {used} % full: writes are refused", { used });
      state.obstacle = `disk ${used} % used at ${options.commitLogDir}, writes stop at ${DISK_USED_REFUSE} %`;
    } else if (state.obstacle !== undefined) {
      logger.info("The disk is {used} % full: writes are taken again", { used });
      state.obstacle = undefined;
    }
  }

  #removeFiles(forced: boolean): void {
    const { files } = this.log;
    const dueBefore = this.clock.now() - this.options.fileReservedTime * HOUR_MS;
    let removed = 0;
    while (files.all.length > 1 && removed < LOG_FILES_REMOVED_PER_ROUND) {
      const oldest = files.first!;
      if (oldest.end > this.log.syncedEnd) break;
      if (!forced && this.disk.modifiedSync(oldest.path) > dueBefore) break;
      files.removeFirst();
      removed++;
      logger.info("Removed old log file {path}", { path: oldest.path });
    }
    if (removed === 0) return;
    const min = this.log.minOffset;
    this.cold.deleteBelow(min);
    this.dispatcher.queues.deleteBelow(min);
    this.dispatcher.index?.deleteBelow(min);
  }
}
