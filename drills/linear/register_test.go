package linear_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/anishathalye/porcupine"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type registerInput struct {
	op        string
	old, next int // 0 is no item
}

type registerOutput struct {
	outcome outcome
	value   int
}

// registers says what one plain item may do: be read, swapped, and counted up.
var registers = porcupine.Model{
	Init: func() any { return 0 },
	Step: func(state, input, output any) (bool, any) {
		now, in, out := state.(int), input.(registerInput), output.(registerOutput)
		next, fits := in.next, now == in.old
		if in.op == "add" {
			next, fits = now+1, now > 0
		}
		switch out.outcome {
		case seen:
			return now == out.value, now
		case done:
			return fits && next == out.value, next
		case moved:
			return !fits, now
		}
		if fits {
			return true, next
		}
		return true, now
	},
	DescribeOperation: func(input, output any) string {
		in, out := input.(registerInput), output.(registerOutput)
		return fmt.Sprintf("%s %d -> %d: %s %d", in.op, in.old, in.next, out.outcome, out.value)
	},
}

// useRegister calls the emulated table by itself: each call is one attempt.
func useRegister(p *process) func() {
	known, step := 0, 0
	key := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: cluster}, "sk": &types.AttributeValueMemberS{Value: "register"}}
	number := func(n int) types.AttributeValue { return &types.AttributeValueMemberN{Value: strconv.Itoa(n)} }
	value := func(it map[string]types.AttributeValue) int {
		n, _ := it["n"].(*types.AttributeValueMemberN)
		if n == nil {
			return 0
		}
		v, _ := strconv.Atoi(n.Value)
		return v
	}
	record := func(c *call, in registerInput, v int, err error) {
		p.h.maybe(c, err, in, registerOutput{outcome: maybe})
		var refused *types.ConditionalCheckFailedException
		switch {
		case err == nil:
			p.h.end(p.id, c, in, registerOutput{outcome: done, value: v})
			known = v
		case errors.As(err, &refused):
			p.h.end(p.id, c, in, registerOutput{outcome: moved})
		}
	}
	return func() {
		step++
		what := p.rnd.IntN(10)
		p.call(func(ctx context.Context, c *call) {
			switch {
			case what < 4 || p.reads():
				out, err := p.plain.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(table), Key: key, ConsistentRead: aws.Bool(true)})
				if err == nil {
					known = value(out.Item)
					p.h.end(p.id, c, registerInput{op: "read"}, registerOutput{outcome: seen, value: known})
				}
			case what < 7:
				in := registerInput{op: "add"}
				out, err := p.plain.UpdateItem(ctx, &dynamodb.UpdateItemInput{
					TableName: aws.String(table), Key: key, UpdateExpression: aws.String("SET n = n + :one"),
					ConditionExpression:       aws.String("attribute_exists(pk)"),
					ExpressionAttributeValues: map[string]types.AttributeValue{":one": number(1)}, ReturnValues: types.ReturnValueAllNew,
				})
				v := 0
				if err == nil {
					v = value(out.Attributes)
				}
				record(c, in, v, err)
			default:
				in := registerInput{op: "swap", old: known, next: 1000*(10*step+p.id) + 1}
				put := dynamodb.PutItemInput{
					TableName: aws.String(table), ConditionExpression: aws.String("attribute_not_exists(pk)"),
					Item: map[string]types.AttributeValue{"pk": key["pk"], "sk": key["sk"], "n": number(in.next)},
				}
				if known != 0 {
					put.ConditionExpression = aws.String("n = :old")
					put.ExpressionAttributeValues = map[string]types.AttributeValue{":old": number(known)}
				}
				_, err := p.plain.PutItem(ctx, &put)
				record(c, in, in.next, err)
			}
		})
	}
}

// The swaps write numbers that are thousands apart, and no client adds a thousand.
func registerMark(input any) string {
	if in := input.(registerInput); in.op == "swap" {
		return strconv.Itoa(in.next / 1000)
	}
	return ""
}

func registerMarks(input, output any) []string {
	return []string{strconv.Itoa(input.(registerInput).old / 1000), strconv.Itoa(output.(registerOutput).value / 1000)}
}
