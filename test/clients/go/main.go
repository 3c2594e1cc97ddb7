// Runs through the life of a cluster with one of the client libraries for Go:
// client connect|grpc|grpcweb|grpc-go URL. Prints a line for each event.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	discoveryv1 "etcd-discovery/gen/discovery/v1"
	"etcd-discovery/gen/discovery/v1/discoveryv1connect"
)

// api has the calls that the program makes, with connect-go or grpc-go.
type api interface {
	create(context.Context, *discoveryv1.CreateTokenRequest) (*discoveryv1.CreateTokenResponse, error)
	register(context.Context, *discoveryv1.RegisterRequest) (*discoveryv1.RegisterResponse, error)
	list(context.Context, *discoveryv1.ListMembersRequest) (*discoveryv1.ListMembersResponse, error)
	// watch calls see with each message until that returns false.
	watch(ctx context.Context, request *discoveryv1.WatchMembersRequest, see func(*discoveryv1.WatchMembersResponse) bool) error
	// detail returns the error detail of a rejected call.
	detail(error) *discoveryv1.ErrorDetail
}

func main() {
	how, base := os.Args[1], os.Args[2]
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := open(how, base)
	if err == nil {
		err = tell(ctx, client)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(how, base string) (api, error) {
	switch how {
	case "connect":
		return overConnect(http.DefaultClient, base), nil
	case "grpcweb":
		return overConnect(http.DefaultClient, base, connect.WithGRPCWeb()), nil
	case "grpc":
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		return overConnect(&http.Client{Transport: &http.Transport{Protocols: protocols}}, base, connect.WithGRPC()), nil
	case "grpc-go":
		address, err := url.Parse(base)
		if err != nil {
			return nil, err
		}
		conn, err := grpc.NewClient(address.Host, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, err
		}
		return overGrpc{discoveryv1.NewDiscoveryServiceClient(conn)}, nil
	}
	return nil, fmt.Errorf("no such way: %s", how)
}

func tell(ctx context.Context, client api) error {
	created, err := client.create(ctx, &discoveryv1.CreateTokenRequest{Size: 2})
	if err != nil {
		return err
	}
	token := created.Cluster.Token
	fmt.Println("created", created.Cluster.Size)

	registered, err := client.register(ctx, node(token, 1, "infra1"))
	if err != nil {
		return err
	}
	fmt.Println("registered", registered.Member.Name)

	list, err := client.list(ctx, &discoveryv1.ListMembersRequest{Token: token})
	if err != nil {
		return err
	}
	fmt.Println("listed", names(list.Members))

	_, err = client.register(ctx, node(token, 2, "infra1"))
	if err == nil {
		return errors.New("a second infra1 was not refused")
	}
	detail := client.detail(err)
	if detail == nil {
		return fmt.Errorf("no detail: %w", err)
	}
	fmt.Println("refused", detail.Reason, "by", detail.Member.Name)

	return client.watch(ctx, &discoveryv1.WatchMembersRequest{Token: token}, func(message *discoveryv1.WatchMembersResponse) bool {
		if snapshot := message.GetSnapshot(); snapshot != nil {
			fmt.Println("snapshot", names(snapshot.Members))
			if _, err = client.register(ctx, node(token, 2, "infra2")); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			return err == nil
		}
		event := message.GetEvent()
		fmt.Println("event", event.Member.Name, event.State)
		if event.State != discoveryv1.ClusterState_CLUSTER_STATE_COMPLETE {
			return true
		}
		list, err = client.list(ctx, &discoveryv1.ListMembersRequest{Token: token})
		fmt.Println("initial_cluster", list.GetInitialCluster())
		return false
	})
}

func node(token string, i int, name string) *discoveryv1.RegisterRequest {
	return &discoveryv1.RegisterRequest{
		Token:    token,
		MemberId: fmt.Sprint(i),
		Name:     name,
		PeerUrls: []string{fmt.Sprintf("http://10.0.0.%d:2380", i)},
	}
}

func names(members []*discoveryv1.Member) string {
	var all []string
	for _, member := range members {
		all = append(all, member.Name)
	}
	return strings.Join(all, ",")
}

type connectClient struct {
	discoveryv1connect.DiscoveryServiceClient
}

func overConnect(client *http.Client, base string, options ...connect.ClientOption) api {
	// Reads use GET if the protocol supports it.
	options = append(options, connect.WithHTTPGet())
	return connectClient{discoveryv1connect.NewDiscoveryServiceClient(client, base, options...)}
}

func message[T any](response *connect.Response[T], err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return response.Msg, nil
}

func (c connectClient) create(ctx context.Context, request *discoveryv1.CreateTokenRequest) (*discoveryv1.CreateTokenResponse, error) {
	return message(c.CreateToken(ctx, connect.NewRequest(request)))
}

func (c connectClient) register(ctx context.Context, request *discoveryv1.RegisterRequest) (*discoveryv1.RegisterResponse, error) {
	return message(c.Register(ctx, connect.NewRequest(request)))
}

func (c connectClient) list(ctx context.Context, request *discoveryv1.ListMembersRequest) (*discoveryv1.ListMembersResponse, error) {
	return message(c.ListMembers(ctx, connect.NewRequest(request)))
}

func (c connectClient) watch(ctx context.Context, request *discoveryv1.WatchMembersRequest, see func(*discoveryv1.WatchMembersResponse) bool) error {
	stream, err := c.WatchMembers(ctx, connect.NewRequest(request))
	if err != nil {
		return err
	}
	defer stream.Close()
	for stream.Receive() {
		if !see(stream.Msg()) {
			return nil
		}
	}
	return stream.Err()
}

func (connectClient) detail(err error) *discoveryv1.ErrorDetail {
	var refusal *connect.Error
	if !errors.As(err, &refusal) {
		return nil
	}
	for _, each := range refusal.Details() {
		if value, err := each.Value(); err == nil {
			if detail, ok := value.(*discoveryv1.ErrorDetail); ok {
				return detail
			}
		}
	}
	return nil
}

type overGrpc struct {
	client discoveryv1.DiscoveryServiceClient
}

func (g overGrpc) create(ctx context.Context, request *discoveryv1.CreateTokenRequest) (*discoveryv1.CreateTokenResponse, error) {
	return g.client.CreateToken(ctx, request)
}

func (g overGrpc) register(ctx context.Context, request *discoveryv1.RegisterRequest) (*discoveryv1.RegisterResponse, error) {
	return g.client.Register(ctx, request)
}

func (g overGrpc) list(ctx context.Context, request *discoveryv1.ListMembersRequest) (*discoveryv1.ListMembersResponse, error) {
	return g.client.ListMembers(ctx, request)
}

func (g overGrpc) watch(ctx context.Context, request *discoveryv1.WatchMembersRequest, see func(*discoveryv1.WatchMembersResponse) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := g.client.WatchMembers(ctx, request)
	if err != nil {
		return err
	}
	for {
		message, err := stream.Recv()
		if err != nil {
			return err
		}
		if !see(message) {
			return nil
		}
	}
}

func (overGrpc) detail(err error) *discoveryv1.ErrorDetail {
	for _, each := range status.Convert(err).Details() {
		if detail, ok := each.(*discoveryv1.ErrorDetail); ok {
			return detail
		}
	}
	return nil
}
