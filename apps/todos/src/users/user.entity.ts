import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The copy of an account that users owns; fed by events, or by gRPC for somebody whose event has not arrived yet. The table keeps its first name: renaming it would break replicas of the version before. */
@Entity('people')
export class User {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  email!: string;

  @Column({ type: 'text', name: 'first_name' })
  firstName!: string;

  @Column({ type: 'text', name: 'last_name' })
  lastName!: string;

  /** The account's version at users; an older one never replaces a newer. */
  @Column('int')
  version!: number;
}
