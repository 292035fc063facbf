package agent

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// credentials open nothing: the emulated cloud checks none.
func credentials() aws.Config {
	return aws.Config{Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "DRILL", SecretAccessKey: "drill", Source: "drill"}, nil
	})}
}

// store returns the lease table as the agent's Region reaches it.
func (c Config) store() (*dynamo.Store, error) {
	var clients []dynamo.Client
	for _, r := range c.Stores {
		clients = append(clients, dynamo.NewClient(credentials(), r, c.APIs[r], nil))
	}
	return dynamo.New(dynamo.Config{Clients: clients, Region: c.Region, Table: c.Table, Cluster: c.Topology.GlobalCluster})
}

// bootstrap takes the first epoch for this Region, as a deployment does once.
func (c Config) bootstrap(ctx context.Context) error {
	store, err := c.store()
	if err != nil {
		return err
	}
	if _, err := store.TakeLease(ctx, failover.Lease{}, failover.Claim{Holder: c.Region}); err != nil {
		return fmt.Errorf("agent: take the first epoch: %w", err)
	}
	return nil
}

// ErrNoQuestion is returned when no execution waits for an answer.
var ErrNoQuestion = errors.New("agent: no execution waits for an operator")

// acknowledge answers the question that an execution has put.
func (c Config) acknowledge(ctx context.Context, by, reason string) error {
	store, err := c.store()
	if err != nil {
		return err
	}
	last, err := store.Latest(ctx)
	if err != nil {
		return err
	}
	if last.Execution.State != failover.Operator {
		return fmt.Errorf("%w: %s is %s", ErrNoQuestion, last.Execution.ID, last.Execution.State)
	}
	return store.Acknowledge(ctx, failover.Acknowledgement{Epoch: last.Execution.Epoch, By: by, Reason: reason})
}
