# The shell that the members join. It belongs to no Region, and says nothing about who
# writes: members and their roles are read-only here, and a failover changes no
# argument.
resource "aws_rds_global_cluster" "this" {
  region                    = var.home_region
  global_cluster_identifier = var.name
  engine                    = "aurora-mysql"
  engine_version            = var.engine_version
  database_name             = var.database_name
  storage_encrypted         = true
  deletion_protection       = var.deletion_protection

  lifecycle {
    # Only creation reads the name, yet a difference would replace the global cluster.
    # After members were detached or restored AWS may report none.
    ignore_changes = [database_name]
  }
}
