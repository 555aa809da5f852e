import { Column, CreateDateColumn, Entity, PrimaryColumn, UpdateDateColumn, VersionColumn } from 'typeorm';

@Entity('lists')
export class List {
  @PrimaryColumn('uuid')
  id!: string;

  @Column({ type: 'uuid', name: 'owner_id', update: false })
  ownerId!: string;

  @Column('text')
  name!: string;

  /** Changed only by the statements that change items, never by saving a list. */
  @Column({ type: 'int', name: 'open_items', update: false })
  openItems!: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz', precision: 3 })
  updatedAt!: Date;

  /** Incremented with every visible change of the list, its count of open items included. */
  @VersionColumn()
  version!: number;
}

/** Columns, named as the entity's properties. */
export const LIST_COLUMNS = `id, name, owner_id AS "ownerId", open_items AS "openItems",
  created_at AS "createdAt", updated_at AS "updatedAt", version`;
