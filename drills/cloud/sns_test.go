package cloud_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/stretchr/testify/require"
)

func TestPublish(t *testing.T) {
	w := start(t, nil)
	arn := w.TopicARN(west, "people")
	require.Equal(t, "arn:aws:sns:us-west-2:123456789012:people", arn)
	out, err := w.sns(west).Publish(t.Context(), &sns.PublishInput{
		TopicArn: aws.String(arn), Subject: aws.String("Failover to us-west-2"), Message: aws.String("epoch 7 & <done>\n100%"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"kind": {DataType: aws.String("String"), StringValue: aws.String("failover")}, "epoch": {DataType: aws.String("Number"), StringValue: aws.String("7")},
		},
	})
	require.NoError(t, err)
	got := w.Published()
	require.Len(t, got, 1)
	require.Equal(t, *out.MessageId, got[0].MessageID)
	require.Equal(t, west, got[0].Region)
	require.Equal(t, arn, got[0].TopicARN)
	require.Equal(t, "Failover to us-west-2", got[0].Subject)
	require.Equal(t, "epoch 7 & <done>\n100%", got[0].Message)
	require.Equal(t, map[string]string{"kind": "failover", "epoch": "7"}, got[0].Attributes)
}

func TestCreateTopic(t *testing.T) {
	w := start(t, nil)
	out, err := w.sns(witness).CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("new")})
	require.NoError(t, err)
	_, err = w.sns(witness).Publish(t.Context(), &sns.PublishInput{TopicArn: out.TopicArn, Message: aws.String("x")})
	require.NoError(t, err)
}

func TestPublishRefusals(t *testing.T) {
	w := start(t, nil)
	arn := aws.String(w.TopicARN(west, "people"))
	for name, tt := range map[string]struct {
		code string
		in   sns.PublishInput
	}{
		"unknown topic":           {"NotFound", sns.PublishInput{TopicArn: aws.String(w.TopicARN(west, "no")), Message: aws.String("x")}},
		"topic of another Region": {"InvalidParameter", sns.PublishInput{TopicArn: aws.String(w.TopicARN(east, "people")), Message: aws.String("x")}},
		"no topic":                {"InvalidParameter", sns.PublishInput{Message: aws.String("x")}},
		"empty message":           {"InvalidParameter", sns.PublishInput{TopicArn: arn, Message: aws.String("")}},
		"long message":            {"InvalidParameter", sns.PublishInput{TopicArn: arn, Message: aws.String(strings.Repeat("x", 256<<10+1))}},
		"long subject":            {"InvalidParameter", sns.PublishInput{TopicArn: arn, Message: aws.String("x"), Subject: aws.String(strings.Repeat("x", 101))}},
		"subject of two lines":    {"InvalidParameter", sns.PublishInput{TopicArn: arn, Message: aws.String("x"), Subject: aws.String("a\nb")}},
		"attribute without value": {"ParameterValueInvalid", sns.PublishInput{TopicArn: arn, Message: aws.String("x"),
			MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String"), StringValue: aws.String("")}}}},
		"text message": {"NotEmulated", sns.PublishInput{PhoneNumber: aws.String("+15550100"), Message: aws.String("x")}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.sns(west).Publish(t.Context(), &tt.in)
			require.Equal(t, tt.code, code(t, err))
			_, typed := errors.AsType[*types.NotFoundException](err)
			require.Equal(t, tt.code == "NotFound", typed)
		})
	}
	_, err := w.sns(west).Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: arn, Protocol: aws.String("email")})
	require.Equal(t, "NotEmulated", code(t, err))
	require.Empty(t, w.Published())
}
