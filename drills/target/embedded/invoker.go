package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/invoker"
)

// lambdaAPI is the Lambda API of a process's own Region.
type lambdaAPI struct {
	parts
	lambda *lambda
}

var _ invoker.API = lambdaAPI{}

// Invoke implements invoker.API.
func (i lambdaAPI) Invoke(ctx context.Context, in *sdk.InvokeInput, _ ...func(*sdk.Options)) (*sdk.InvokeOutput, error) {
	mode := lambdahost.Sync
	if in.InvocationType == types.InvocationTypeEvent {
		mode = lambdahost.Async
	}
	var result lambdahost.Result
	err := i.process.Pass(ctx, func(ctx context.Context) (err error) {
		if err := i.travel(ctx); err != nil {
			return err
		}
		acts, err := i.trouble(ctx, i.depends(i.region, fault.Lambda), unavailable(i.depends(i.region, fault.Lambda)))
		if err != nil {
			return err
		}
		if result, err = i.lambda.Invoke(ctx, aws.ToString(in.FunctionName), in.Payload, mode); err != nil {
			return err
		}
		if acts {
			<-ctx.Done()
			return ctx.Err()
		}
		return i.hush(ctx, i.region) // the answer found the Region dark
	})
	if err != nil {
		return nil, exception(err)
	}
	out := &sdk.InvokeOutput{StatusCode: int32(result.StatusCode), Payload: result.Payload}
	if result.FunctionError != "" {
		out.FunctionError = aws.String(result.FunctionError)
	}
	return out, nil
}

// unavailable is how Lambda refuses under its faults.
func unavailable(faults []*half) error {
	for _, h := range faults {
		switch h.How {
		case fault.Throttle:
			return &lambdahost.Refusal{Status: 429, Code: "TooManyRequestsException", Message: "Rate exceeded", Reason: "CallerRateLimitExceeded"}
		case fault.Deny:
			return &lambdahost.Refusal{Status: 403, Code: "AccessDeniedException", Message: "not authorized to perform: lambda:InvokeFunction"}
		}
	}
	return &lambdahost.Refusal{Status: 503, Code: "ServiceException", Message: "the service is unavailable"}
}

// travel is the way to the API and back.
func (i lambdaAPI) travel(ctx context.Context) error {
	if err := i.hush(ctx, i.region); err != nil {
		return err
	}
	t := time.NewTimer(roundTrip(i.region, i.region))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// exception is a refusal as the SDK's client returns it.
func exception(err error) error {
	var refusal *lambdahost.Refusal
	switch {
	case !errors.As(err, &refusal):
		return err
	case refusal.Status == 429:
		return &types.TooManyRequestsException{Message: aws.String(refusal.Message), Reason: types.ThrottleReason(refusal.Reason)}
	case refusal.Status == 404:
		return &types.ResourceNotFoundException{Message: aws.String(refusal.Message)}
	}
	return &types.ServiceException{Message: aws.String(refusal.Message)}
}
