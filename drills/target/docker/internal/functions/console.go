package functions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// store returns the lease table as a person in the Region reaches it.
func (c Config) store() (*dynamo.Store, error) {
	credentials := aws.Config{Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "DRILL", SecretAccessKey: "drill", Source: "drill"}, nil
	})}
	client := dynamo.NewClient(credentials, c.Region, c.APIs[c.Region], nil)
	return dynamo.New(dynamo.Config{Clients: []dynamo.Client{client}, Region: c.Region, Table: c.Table, Cluster: c.Topology.GlobalCluster})
}

// ErrNoQuestion is returned when no execution waits for an answer.
var ErrNoQuestion = errors.New("functions: no execution waits for an operator")

// acknowledge answers the question that an execution has put, as a person does: by
// invoking the trigger with the execution and the question.
func (s *service) acknowledge(ctx context.Context, by, reason string) error {
	store, err := s.cfg.store()
	if err != nil {
		return err
	}
	last, err := store.Latest(ctx)
	if err != nil {
		return err
	}
	x := last.Execution
	if x.State != failover.AwaitingApproval {
		return fmt.Errorf("%w: %s is %s", ErrNoQuestion, x.ID, x.State)
	}
	payload, err := json.Marshal(event.AnswerTo(x, by, reason))
	if err != nil {
		return fmt.Errorf("functions: acknowledge: %w", err)
	}
	_, err = s.host.Invoke(ctx, s.cfg.name(Trigger), payload, lambdahost.Async)
	return err
}
