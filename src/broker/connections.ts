/**
 * Who is connected: GET_CONSUMER_CONNECTION_LIST 203, GET_PRODUCER_CONNECTION_LIST 204, GET_ALL_PRODUCER_INFO 328. Follows
 * AdminBrokerProcessor of RocketMQ 4.9.7; what would not fit into a frame is refused.
 *
 * @module
 */
import { TABLE_ANSWER_BYTES_MAX } from "../limits.ts";
import {
  type ClientConnection,
  consumerConnectionPieces,
  producerConnectionPieces,
  type ProducerInfo,
  producerTablePieces,
} from "../protocol/bodies/connections.ts";
import {
  GetAllProducerInfo,
  GetConsumerConnectionList,
  GetProducerConnectionList,
} from "../protocol/admin_requests.ts";
import { ResponseCode } from "../protocol/codes.ts";
import type { Answer, HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import { LargeAnswers } from "./large_answers.ts";
import type { Member, MemberConnection } from "./memberships.ts";
import { encodeInTurns } from "./slices.ts";

/** What these handlers need of the broker. */
export interface ConnectionsContext extends Pick<BrokerContext, "clock"> {
  readonly consumers: Pick<BrokerContext["consumers"], "find">;
  readonly producers: Pick<BrokerContext["producers"], "find" | "names">;
}

type Members = ReadonlyMap<MemberConnection, Member>;

/** Adds the handlers of connections. */
export function connectionHandlers(table: HandlerTable, { consumers, producers, clock }: ConnectionsContext): void {
  const answers = new LargeAnswers("cannot tell who is connected", clock);
  const told = async (pieces: Iterable<string>): Promise<Answer> => {
    return { code: ResponseCode.SUCCESS, body: await encodeInTurns(pieces, clock, TABLE_ANSWER_BYTES_MAX) };
  };
  table.on(GetConsumerConnectionList, (request) => {
    const { consumerGroup } = request.header;
    const group = consumers.find(consumerGroup);
    if (group === undefined) {
      const remark = `the consumer group[${consumerGroup}] not online`;
      return { code: ResponseCode.CONSUMER_NOT_ONLINE, remark };
    }
    answers.give(request, () => told(consumerConnectionPieces(connectionsOf(group.members), group)));
    return undefined;
  });
  table.on(GetProducerConnectionList, (request) => {
    const { producerGroup } = request.header;
    const members = producers.find(producerGroup);
    if (members === undefined) {
      return { code: ResponseCode.SYSTEM_ERROR, remark: `the producer group[${producerGroup}] not exist` };
    }
    answers.give(request, () => told(producerConnectionPieces(connectionsOf(members))));
    return undefined;
  });
  table.on(GetAllProducerInfo, (request) => {
    function* groups(): Generator<[string, Iterable<ProducerInfo>]> {
      // Groups may come and go between two pieces.
      for (const group of producers.names()) yield [group, infosOf(producers.find(group) ?? new Map())];
    }
    answers.give(request, () => told(producerTablePieces(groups())));
    return undefined;
  });
}

function* connectionsOf(members: Members): Generator<ClientConnection> {
  for (const [{ peer }, { clientId, language, version }] of members) {
    yield { clientAddr: peer, clientId, language, version };
  }
}

function* infosOf(members: Members): Generator<ProducerInfo> {
  for (const [{ peer }, { clientId, language, version, lastUpdate }] of members) {
    yield { clientId, language, version, lastUpdateTimestamp: lastUpdate, remoteIP: `/${peer}` };
  }
}
