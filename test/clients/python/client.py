"""Runs through the life of a cluster with grpcio and code generated from the protos: client.py HOST:PORT."""

import sys

import grpc
from discovery.v1 import cluster_pb2, error_pb2, service_pb2, service_pb2_grpc
from grpc_status import rpc_status


def node(token, i, name):
    return service_pb2.RegisterRequest(
        token=token, member_id=str(i), name=name, peer_urls=[f"http://10.0.0.{i}:2380"]
    )


def names(members):
    return ",".join(member.name for member in members)


def main(address):
    client = service_pb2_grpc.DiscoveryServiceStub(grpc.insecure_channel(address))
    created = client.CreateToken(service_pb2.CreateTokenRequest(size=2), timeout=10)
    token = created.cluster.token
    print("created", created.cluster.size)
    print("registered", client.Register(node(token, 1, "infra1"), timeout=10).member.name)
    listing = service_pb2.ListMembersRequest(token=token)
    print("listed", names(client.ListMembers(listing, timeout=10).members))
    try:
        client.Register(node(token, 2, "infra1"), timeout=10)
    except grpc.RpcError as error:
        detail = error_pb2.ErrorDetail()
        rpc_status.from_call(error).details[0].Unpack(detail)
        print("refused", error_pb2.ErrorReason.Name(detail.reason), "by", detail.member.name)
    for message in client.WatchMembers(service_pb2.WatchMembersRequest(token=token), timeout=30):
        if message.WhichOneof("update") == "snapshot":
            print("snapshot", names(message.snapshot.members))
            client.Register(node(token, 2, "infra2"), timeout=10)
            continue
        event = message.event
        print("event", event.member.name, cluster_pb2.ClusterState.Name(event.state))
        if event.state == cluster_pb2.CLUSTER_STATE_COMPLETE:
            break
    print("initial_cluster", client.ListMembers(listing, timeout=10).initial_cluster)


main(sys.argv[1])
