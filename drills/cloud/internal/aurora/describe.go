package aurora

import (
	"strings"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

// paging reads MaxRecords and Marker. Everything fits on one page, so a marker
// can't be one of ours.
func paging(f *wire.Form) error {
	if _, err := f.Int("MaxRecords", 100, 20, 100); err != nil {
		return err
	}
	if m, _ := f.Get("Marker"); m != "" {
		return wire.Refuse(400, "InvalidParameterValue", "Invalid marker: %s", m)
	}
	return nil
}

// filters reads Filters and refuses names that are not in allowed.
func filters(f *wire.Form, allowed ...string) (map[string][]string, error) {
	out := map[string][]string{}
next:
	for _, filter := range f.Filters() {
		for _, name := range allowed {
			if filter.Name == name {
				out[name] = filter.Values
				continue next
			}
		}
		return nil, wire.Refuse(400, "InvalidParameterValue", "Unrecognized filter name: %s", filter.Name)
	}
	return out, nil
}

// matches reports whether one of the names is among the values; a filter that
// was not given matches all.
func matches(values []string, names ...string) bool {
	if values == nil {
		return true
	}
	for _, v := range values {
		for _, n := range names {
			if strings.EqualFold(v, n) {
				return true
			}
		}
	}
	return false
}

// describeGlobalClusters answers in every Region, also the witness's.
func (s *Service) describeGlobalClusters(call wire.Call, f *wire.Form, x *wire.XML) error {
	id, given := f.Get("GlobalClusterIdentifier")
	// region is documented; db-cluster-id is not, terraform uses it.
	by, err := filters(f, "region", "db-cluster-id")
	if err == nil {
		err = paging(f)
	}
	if err == nil {
		err = f.Unknown()
	}
	if err != nil {
		return err
	}
	if given && !strings.EqualFold(id, s.cfg.GlobalCluster) {
		return s.noGlobalCluster(id)
	}
	show := false
	for i, m := range s.cfg.Members {
		inRegion := by["region"] == nil
		for _, r := range by["region"] {
			inRegion = inRegion || r == string(m.Region) // case-sensitive, says the model
		}
		show = show || inRegion && matches(by["db-cluster-id"], m.Cluster, s.names.members[i].arn)
	}
	x.Open("GlobalClusters")
	if show {
		s.globalCluster(x, "GlobalClusterMember", s.view(call.Region, call.AsOf))
	}
	x.Close("GlobalClusters")
	return nil
}

func (s *Service) noGlobalCluster(id string) error {
	return wire.Refuse(404, "GlobalClusterNotFoundFault", "Global cluster %s not found", id)
}

// globalCluster writes a GlobalCluster as an element of the given name: lists
// and results name it differently.
func (s *Service) globalCluster(x *wire.XML, name string, st *state) {
	x.Open(name)
	x.Text("GlobalClusterIdentifier", s.cfg.GlobalCluster)
	x.Text("GlobalClusterResourceId", s.names.resource)
	x.Text("GlobalClusterArn", "arn:aws:rds::"+s.cfg.Account+":global-cluster:"+s.cfg.GlobalCluster)
	x.Text("Status", st.status)
	x.Text("Engine", "aurora-mysql")
	x.Text("EngineVersion", s.cfg.Members[st.writer].EngineVersion)
	x.Text("DatabaseName", s.cfg.Database)
	x.Bool("StorageEncrypted", true)
	x.Bool("DeletionProtection", true)
	x.Text("Endpoint", s.GlobalEndpoint())
	x.Open("GlobalClusterMembers")
	for i, m := range s.names.members {
		x.Open("GlobalClusterMember")
		x.Text("DBClusterArn", m.arn)
		x.Bool("IsWriter", i == st.writer)
		x.Open("Readers")
		if i == st.writer {
			for j, other := range s.names.members {
				if j != i {
					x.Text("member", other.arn)
				}
			}
		}
		x.Close("Readers")
		x.Text("SynchronizationStatus", st.members[i].sync)
		x.Close("GlobalClusterMember")
	}
	x.Close("GlobalClusterMembers")
	// "Empty unless … scheduled or in progress", says the model.
	if fo := st.failover; fo != nil {
		x.Open("FailoverState")
		x.Text("Status", fo.status)
		x.Text("FromDbClusterArn", s.names.members[fo.from].arn)
		x.Text("ToDbClusterArn", s.names.members[fo.to].arn)
		x.Bool("IsDataLossAllowed", fo.dataLoss)
		x.Close("FailoverState")
	}
	x.Close(name)
}

func (s *Service) describeClusters(call wire.Call, f *wire.Form, x *wire.XML) error {
	id, given := f.Get("DBClusterIdentifier")
	by, err := filters(f, "db-cluster-id")
	if err == nil {
		_, _, err = f.Bool("IncludeShared")
	}
	if err == nil {
		err = paging(f)
	}
	if err == nil {
		err = f.Unknown()
	}
	if err != nil {
		return err
	}
	st := s.view(call.Region, call.AsOf)
	found := false
	x.Open("DBClusters")
	for i, m := range s.cfg.Members {
		arn := s.names.members[i].arn
		if m.Region != call.Region || given && !matches([]string{id}, m.Cluster, arn) {
			continue
		}
		found = true
		if matches(by["db-cluster-id"], m.Cluster, arn) {
			s.cluster(x, st, i)
		}
	}
	x.Close("DBClusters")
	if given && !found {
		return noCluster(id)
	}
	return nil
}

func noCluster(id string) error {
	return wire.Refuse(404, "DBClusterNotFoundFault", "DBCluster %s not found.", id)
}

func (s *Service) cluster(x *wire.XML, st *state, i int) {
	m, names := s.cfg.Members[i], s.names.members[i]
	x.Open("DBCluster")
	x.Text("DBClusterIdentifier", m.Cluster)
	x.Text("DBClusterArn", names.arn)
	x.Text("DbClusterResourceId", names.resource)
	x.Text("Status", st.members[i].status)
	x.Text("Engine", "aurora-mysql")
	x.Text("EngineMode", "provisioned")
	x.Text("EngineVersion", m.EngineVersion)
	x.Text("DatabaseName", s.cfg.Database)
	x.Text("GlobalClusterIdentifier", s.cfg.GlobalCluster)
	x.Text("Endpoint", names.cluster)
	x.Text("ReaderEndpoint", names.reader)
	x.Int("Port", Port)
	x.Bool("MultiAZ", len(m.Instances) > 1)
	x.Bool("StorageEncrypted", true)
	x.Bool("DeletionProtection", true)
	x.Int("BackupRetentionPeriod", 7)
	x.Open("DBClusterMembers")
	for j, id := range m.Instances {
		if st.members[i].headless {
			break
		}
		x.Open("DBClusterMember")
		x.Text("DBInstanceIdentifier", id)
		x.Bool("IsClusterWriter", i == st.writer && j == 0)
		x.Text("DBClusterParameterGroupStatus", "in-sync")
		x.Int("PromotionTier", min(j, 15))
		x.Close("DBClusterMember")
	}
	x.Close("DBClusterMembers")
	if i == st.writer {
		x.Open("ReadReplicaIdentifiers")
		for j, other := range s.names.members {
			if j != i {
				x.Text("ReadReplicaIdentifier", other.arn)
			}
		}
		x.Close("ReadReplicaIdentifiers")
	} else {
		x.Text("ReplicationSourceIdentifier", s.names.members[st.writer].arn)
	}
	x.Close("DBCluster")
}

func (s *Service) describeInstances(call wire.Call, f *wire.Form, x *wire.XML) error {
	id, given := f.Get("DBInstanceIdentifier")
	by, err := filters(f, "db-cluster-id", "db-instance-id")
	if err == nil {
		err = paging(f)
	}
	if err == nil {
		err = f.Unknown()
	}
	if err != nil {
		return err
	}
	st := s.view(call.Region, call.AsOf)
	found := false
	x.Open("DBInstances")
	for i, m := range s.cfg.Members {
		if m.Region != call.Region {
			continue
		}
		for j, instance := range m.Instances {
			arn := s.names.members[i].instanceARNs[j]
			if st.members[i].headless || given && !matches([]string{id}, instance, arn) {
				continue
			}
			found = true
			if matches(by["db-cluster-id"], m.Cluster, s.names.members[i].arn) && matches(by["db-instance-id"], instance, arn) {
				s.instance(x, st, i, j)
			}
		}
	}
	x.Close("DBInstances")
	if given && !found {
		return noInstance(id)
	}
	return nil
}

func noInstance(id string) error {
	return wire.Refuse(404, "DBInstanceNotFound", "DBInstance %s not found.", id)
}

func (s *Service) instance(x *wire.XML, st *state, i, j int) {
	m, names := s.cfg.Members[i], s.names.members[i]
	x.Open("DBInstance")
	x.Text("DBInstanceIdentifier", m.Instances[j])
	x.Text("DBInstanceArn", names.instanceARNs[j])
	x.Text("DBClusterIdentifier", m.Cluster)
	x.Text("DBInstanceClass", "db.serverless")
	x.Text("DBInstanceStatus", st.members[i].instances[j])
	x.Text("Engine", "aurora-mysql")
	x.Text("EngineVersion", m.EngineVersion)
	x.Open("Endpoint")
	x.Text("Address", names.instances[j])
	x.Int("Port", Port)
	x.Close("Endpoint")
	x.Text("AvailabilityZone", names.availability[j])
	x.Int("PromotionTier", min(j, 15))
	x.Close("DBInstance")
}
