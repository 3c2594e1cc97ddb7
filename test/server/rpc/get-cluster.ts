import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { ErrorDetailSchema } from '../../../gen/discovery/v1/error_pb.ts';
import { type GetClusterResponse, GetClusterResponseSchema } from '../../../gen/discovery/v1/service_pb.ts';

/** A handler that behaves as the token says. */
export async function getCluster(
  { token }: { token: string },
  context: HandlerContext,
): Promise<GetClusterResponse> {
  switch (token) {
    case 'defect':
      throw new TypeError('internal secret');
    case 'refused': {
      const detail = { desc: ErrorDetailSchema, value: { revision: 7n } };
      throw new ConnectError('not ü, because', Code.NotFound, { 'x-more': 'words' }, [detail]);
    }
    case 'headers':
      context.responseHeader.set('x-head', 'first');
      context.responseTrailer.set('x-trailer', 'last');
      break;
    case 'context': {
      const { url, requestMethod, protocolName, method, service, requestHeader } = context;
      const { pathname } = new URL(url);
      const timeoutMs = context.timeoutMs();
      const hasTime = Number.isInteger(timeoutMs) && Number(timeoutMs) > 1000;
      const summary = [pathname, requestMethod, protocolName, method.name, service.typeName, hasTime];
      return described(`${summary.join()} ${requestHeader.get('x-asked')}`);
    }
    case 'long':
      return described('word '.repeat(300));
    case 'deadline':
      if (!context.signal.aborted) {
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      }
      throw context.signal.reason;
  }
  return described('done');
}

function described(description: string): GetClusterResponse {
  return create(GetClusterResponseSchema, { cluster: { description }, revision: 5n });
}
